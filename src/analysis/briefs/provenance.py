"""Where a brief comes from (来源): the manifest, its reproducible part, and ``verify``.

``manifest.json`` holds ``reproducible`` (inputs with hashes, rows and date; parameters; versions; fonts; keys; the
disclosure certificate), which depends on nothing but what went in and is also carried inside the HTML and the PDF, and
beside it what does differ between equal builds: clock, host, git state, cold or warm, output hashes.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import keys
from .definitions import Definition
from .plan import Run
from .publish import MANIFEST
from .run import SUCCEEDED, Order, Outcome

SCHEMA = 1


def reproducible(
    run: Run, components: Mapping[str, Any], printed: Mapping[str, Any], env: keys.Environment
) -> dict[str, Any]:
    """The part that equal inputs make equal; its render key is added when the notebook has run."""
    return {
        "schema": SCHEMA,
        "run": run.id,
        "title": printed["title"],
        "as_of": printed.get("as_of"),
        "simulated": printed.get("simulated", False),
        "classification": run.definition.classification,
        "audience": run.definition.audience,
        "formats": list(run.formats),
        "parameters": components["parameters"],
        "inputs": components["inputs"],
        "attached": components["attached"],
        "code": {name: components[name] for name in ("engine", "version", "code", "library")},
        "seeds": {"PYTHONHASHSEED": 0},
        "versions": dict(env.versions),
        "fonts": dict(env.fonts),
        "keys": {"execution": keys.execution_key(components)},
    }


def manifest(
    run: Run,
    order: Order,
    components: Mapping[str, Any],
    outcome: Outcome,
    git: Mapping[str, Any],
    attempts: int,
) -> dict[str, Any]:
    """The whole manifest of a run that is to be published.

    Parameters
    ----------
    run, order, outcome
        The run, what its worker was told, and how it went.
    components
        Of its execution key, for ``explain``.
    git
        Commit of the checkout; empty outside git.
    attempts
        How many tries it took.
    """
    good = outcome.status == SUCCEEDED
    part = {**order.provenance, "disclosure": list(outcome.certificates)}
    return {
        "status": outcome.status,
        "report": run.definition.id,
        "title": order.printed["title"],
        "region": run.region,
        "period": run.period,
        "region_name": run.region_name,
        "period_label": run.period_label,
        "reproducible": {**part, "keys": {**part["keys"], **outcome.keys}},
        "request": {**run.asked, "renderer": order.renderer},
        "components": dict(components),
        "failure": None
        if good
        else {"message": outcome.message, "cell": outcome.cell, "traceback": outcome.traceback},
        "build": {
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "host": platform.node(),
            "platform": platform.platform(),
            "mode": outcome.mode,
            "seconds": dict(outcome.seconds),
            "memory_mb": outcome.memory_mb,
            "worker_mb": outcome.worker_mb,
            "attempts": attempts,
            "git": dict(git),
        },
        "warnings": list(outcome.warnings),
        "outputs": dict(outcome.outputs),
    }


def write(content: Mapping[str, Any], folder: Path) -> None:
    """Write a manifest into a staged brief."""
    (folder / MANIFEST).write_text(
        json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def git_state(root: Path) -> dict[str, Any]:
    """Commit of the project's checkout and whether it had changes; empty outside git."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(root, "status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return {}


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


def printed(run: Run, as_of: str | None, simulated: bool) -> dict[str, Any]:
    """What the renderer prints around a brief: the fields of ``document.Meta`` without provenance."""
    definition: Definition = run.definition
    return {
        "title": definition.title,
        "period": run.period_label,
        "region": run.region_name,
        "as_of": as_of,
        "classification": definition.classification,
        "simulated": simulated,
    }
