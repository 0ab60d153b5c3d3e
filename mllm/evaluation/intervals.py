"""How sure a measured share is."""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""


def wilson(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Low and high end of Wilson's score interval for a share of ``successes`` in ``n`` trials.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Unlike
    the normal approximation it stays within 0 and 1 and is right for small n. With no trial at
    all it is (0, 1). Raises ``ValueError`` unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, not {successes} of {n}")
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    reach = z / scale * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)
