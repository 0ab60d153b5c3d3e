"""The loss plot of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

AVERAGE = 10
"""Log entries in a point of the thick line."""


def plot_log(history: Sequence[Mapping[str, float]], out: Path) -> None:
    """Draw every value of a Trainer's ``log_history`` over the steps, a panel each, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    skipped = {"step", "epoch", "grad_norm", "learning_rate"}
    logged = [entry for entry in history if "learning_rate" in entry]
    names = sorted({name for entry in logged for name in entry} - skipped)
    if not names:
        return
    figure, axes = plt.subplots(len(names), 1, figsize=(7, 2.4 * len(names)), squeeze=False)
    for name, axis in zip(names, axes[:, 0], strict=True):
        steps = [e["step"] for e in logged if name in e]
        values = [e[name] for e in logged if name in e]
        axis.plot(steps, values, color="0.8", linewidth=0.8)
        axis.plot(steps, _smooth(values), color="tab:blue")
        axis.set_ylabel(name)
        axis.grid(alpha=0.3)
    axes[-1, 0].set_xlabel("step")
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)


def _smooth(values: Sequence[float]) -> list[float]:
    out = []
    for i in range(len(values)):
        window = values[max(0, i - AVERAGE + 1) : i + 1]
        out.append(sum(window) / len(window))
    return out
