"""What a build says while it works: a line that moves on a terminal, plain lines when piped, JSON when asked."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..briefs.plan import Run
    from ..briefs.run import Outcome

_WORDS = {"succeeded": "完成", "unchanged": "未变", "raised": "笔记本出错", "failed": "引擎故障"}


class Progress:
    """Progress on stderr, results on stdout.

    Parameters
    ----------
    quiet
        Only failures are told.
    as_json
        One line of JSON a brief on stdout, and nothing else there.
    root
        The site, for the paths that are told.
    """

    def __init__(self, *, quiet: bool, as_json: bool, root: Path) -> None:
        self.total = 0
        self._quiet = quiet
        self._json = as_json
        self._root = root
        self._done = 0
        self._run = 0
        self._started = time.monotonic()
        self._moving = sys.stderr.isatty() and not quiet

    def say(self, text: str) -> None:
        """Tell a choice or a state."""
        if not self._quiet:
            print(text, file=sys.stderr)

    def listen(self, event: str, it: Run, outcome: Outcome | None) -> None:
        """Hear of a run."""
        if event == "waiting":
            self.say(f"{it.id}：另一个构建正在生成，等它完成")
        elif event == "retrying" and outcome is not None:
            self.say(f"{it.id}：{outcome.message}；重试")
        elif event == "finished" and outcome is not None:
            self._finished(it, outcome)

    def interrupted(self) -> None:
        """Tell what an interrupt left."""
        self._clear()
        print(f"已中断：{self._done}/{self.total} 份已发布且完整，再次运行同一命令即可续做", file=sys.stderr)

    def recap(self, outcomes: Sequence[Outcome]) -> None:
        """Tell at the end what was made and what failed."""
        self._clear()
        failed = [outcome for outcome in outcomes if not outcome.good]
        counts = {word: sum(o.status == status for o in outcomes) for status, word in _WORDS.items()}
        spent = time.monotonic() - self._started
        told = "，".join(f"{word} {count}" for word, count in counts.items() if count)
        self.say(f"共 {len(outcomes)} 份：{told}；用时 {spent:.1f} 秒。目录：{self._root / 'index.html'}")
        for outcome in failed:
            print(f"  × {outcome.run_id}：{outcome.message}", file=sys.stderr)

    def _finished(self, it: Run, outcome: Outcome) -> None:
        self._done += 1
        self._run += outcome.status != "unchanged"
        if self._json:
            print(json.dumps(_record(it, outcome), ensure_ascii=False), flush=True)
        elif outcome.good and not self._quiet and outcome.status != "unchanged":
            self._clear()
            print(self._root / it.id / "index.html", flush=True)
        if self._quiet:
            return
        line = f"[{self._done}/{self.total}] {it.id} {_WORDS[outcome.status]}{self._rate()}"
        if self._moving:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif outcome.status != "unchanged":
            print(line, file=sys.stderr, flush=True)

    def _rate(self) -> str:
        spent = time.monotonic() - self._started
        if self._run < 2 or not spent:
            return ""
        left = (self.total - self._done) * spent / self._run
        return f"（{self._run / spent * 60:.0f} 份/分" + (f"，约剩 {left:.0f} 秒）" if left else "）")

    def _clear(self) -> None:
        if self._moving:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _record(it: Run, outcome: Outcome) -> dict[str, Any]:
    return {
        "run": it.id,
        "status": outcome.status,
        "message": outcome.message,
        "cell": outcome.cell,
        "mode": outcome.mode,
        "seconds": dict(outcome.seconds),
        "memory_mb": outcome.memory_mb,
        "worker_mb": outcome.worker_mb,
        "warnings": list(outcome.warnings),
    }
