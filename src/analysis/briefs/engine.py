"""The papermill engine ``policy-brief``, by the name of its entry point (报告引擎); the class is in ``forked``.

papermill loads every engine's entry point while it is being imported itself, so this module imports nothing: whichever
of the two is imported first, the class is made once papermill's own classes are there.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name not in ("PolicyBriefEngine", "StoppedError"):
        raise AttributeError(name)
    import papermill  # noqa: F401  (asks for this very attribute in passing)

    from . import forked

    return getattr(forked, name)
