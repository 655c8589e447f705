"""What one notebook has shown so far (会话): named results, and the parts in order.

A notebook is one process and one line of cells, so the session is the one place of the package that remembers:
``use()`` at the notebook's head starts it afresh, ``finding`` looks its slots up in it. A name is taken once. Where a
person runs cells at will (JupyterLab), a cell run again takes its names again: changing a filter in place is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import MethodError
from .results import Result

PREFIX = "application/vnd.policy-brief."


def mime(kind: str) -> str:
    """The MIME type of a part: result, finding, table, chart, evidence or note."""
    return f"{PREFIX}{kind}+json"


@dataclass
class Session:
    """Results by name, which run took which name, targets of links, and bundles emitted outside IPython."""

    results: dict[str, Result] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)
    bundles: list[dict[str, Any]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Record a result; the same name may come again only with the same value."""
        if self._take("result", result.name):
            self.results[result.name] = result
        known = self.results[result.name]
        if known.value != result.value:
            raise MethodError(
                f"结果“{result.name}”登记了两个不同的值：{known.value} 与 {result.value}",
                hint="请给两个结果取不同的名称",
            )
        if result.definition:
            self.targets.add(f"#d-{result.definition}")

    def claim(self, kind: str, name: str) -> None:
        """Take the name of a table or chart, so that its file and its links are its own."""
        if not self._take(kind, name):
            raise MethodError(
                f"名称“{name}”已被本简报的另一个{'表' if kind == 'table' else '图'}使用", hint="请换一个名称"
            )

    def _take(self, kind: str, name: str) -> bool:
        """Whether the name was free, or taken in an earlier run by a person; it is taken now."""
        run = _run()
        if self.taken.get((kind, name)) == run:
            return False
        self.taken[kind, name] = run
        return True

    def emit(self, bundle: Mapping[str, Any]) -> None:
        """Publish a MIME bundle to the notebook, or keep it when there is none (plain Python, tests)."""
        shell = _shell()
        if shell is None:
            self.bundles.append(dict(bundle))
        else:
            shell.display_pub.publish(data=dict(bundle), metadata={})


_session = Session()


def current() -> Session:
    """The session of this process."""
    return _session


def use() -> None:
    """Start a brief: forget what was shown before, register the fonts, set the theme of charts."""
    global _session
    _session = Session()
    from .theme import apply

    apply(inline=_kernel() is not None)


def targets(prefix: str = "#d-") -> set[str]:
    """Where links of the brief lead so far: an annex of definitions lists those that are used."""
    return {target for target in _session.targets if target.startswith(prefix)}


def recorded(kind: str | None = None) -> list[dict[str, Any]]:
    """The parts emitted outside IPython since ``use()``: of one kind, or all MIME bundles."""
    if kind is None:
        return list(_session.bundles)
    return [bundle[mime(kind)] for bundle in _session.bundles if mime(kind) in bundle]


def _run() -> int:
    """Which run of a cell this is where a person chooses what runs; 0 throughout a straight run, as of a brief.

    A front end names the cell with each request; nbclient, papermill and our own engine do not.
    """
    kernel = _kernel()
    if kernel is None or "cellId" not in kernel.get_parent().get("metadata", {}):
        return 0
    return int(kernel.shell.execution_count)


def by_hand() -> bool:
    """Whether a person runs the cells and reads their output as it stands (JupyterLab)."""
    return _run() > 0


def _kernel() -> Any:
    """The kernel behind the shell; None in plain Python and in our own engine, which has none."""
    return getattr(_shell(), "kernel", None)


def _shell() -> Any:
    """The running IPython shell; None in plain Python (where IPython need not even be imported)."""
    import sys

    if "IPython" not in sys.modules:
        return None
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.instance() if InteractiveShell.initialized() else None
