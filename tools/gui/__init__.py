"""Acting on graphical interfaces: one action schema, a backend a platform.

``actions`` is what a model may ask for, ``observation`` what it is told, ``targets`` how a target
is found, ``failures`` how an action can fail: none of these knows a browser. ``browser`` and the
files that it imports bring them to web pages.
"""

try:
    import playwright  # noqa: F401  (one clear error here instead of many)
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "Browser needs playwright: install it with `pip install 'corvid-agent[gui]'`"
    ) from error
