"""Run the project's benchmarks and write ``benchmarks/results.json``.

    python benchmarks/run.py                 all of them
    python benchmarks/run.py --name NAME     one; the others' figures in the file stay as they are

A benchmark is a file ``bench_*.py`` beside this one with ``NAME`` and ``run() -> list[dict]``; every item has ``name``,
``ratio``, ``against``, ``better`` (higher or lower) and ``detail``. All that an item compares is measured in the one run.
Each item's detail ends with the machine the figures were taken on. Modules are compiled beforehand, as an install by pip
leaves them; without that every process started would compile them again, and whoever starts most would lose most.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import json
import os
import platform
import sys
import sysconfig
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
FIELDS = ("name", "ratio", "against", "better", "detail")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", help="run this one only")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    arguments = parser.parse_args()
    known = {module.NAME: module for module in discover()}
    if arguments.list:
        print("\n".join(known))
        return 0
    if arguments.name and arguments.name not in known:
        print(f"no benchmark {arguments.name}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for place in (sysconfig.get_path("purelib"), HERE.parent / "src"):
        compileall.compile_dir(place, quiet=2)
    failed = 0
    for name, module in known.items():
        if arguments.name in (None, name):
            failed += not measure(name, module)
    return int(failed > 0)


def discover() -> list[ModuleType]:
    """All benchmarks, by file name."""
    return [load(file) for file in sorted(HERE.glob("bench_*.py"))]


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def measure(name: str, module: ModuleType) -> bool:
    """Run one and put its items in the file in place of the old ones."""
    started = time.perf_counter()
    print(f"== {name}", flush=True)
    try:
        items = [{field: item[field] for field in FIELDS} for item in module.run()]
    except Exception:
        traceback.print_exc()
        return False
    for item in items:
        item["detail"] = f"{item['detail']} [{machine()}]"
        print(f"   {item['name']}: {item['ratio']} × {item['against']} ({item['better']} is better)")
    print(f"   {time.perf_counter() - started:.0f} s", flush=True)
    write(merged(read(), name, items))
    return True


def merged(old: list[dict[str, Any]], name: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The file's items with those of one benchmark replaced; a benchmark's items begin with its name."""
    fresh = {item["name"] for item in items}
    kept = [item for item in old if item["name"] not in fresh and not item["name"].startswith(f"{name}.")]
    return sorted([*kept, *items], key=lambda item: item["name"])


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor()}, {cores} cores, {memory()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB"
    except (ValueError, OSError):
        return "memory unknown"


def read() -> list[dict[str, Any]]:
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def write(items: list[dict[str, Any]]) -> None:
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text(json.dumps(items, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    temporary.replace(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
