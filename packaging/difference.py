"""``difference.py BASE LOCK``: take out of LOCK the packages that BASE pins already, so that no pin stands twice.

Stops when the two disagree on a version: they are installed into one environment.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def entries(text: str) -> dict[str, str]:
    """Requirement line → the whole entry with its hashes."""
    found = {}
    for block in re.split(r"(?m)^(?=[a-z0-9])", text):
        if block.strip():
            found[block.split("\\")[0].strip()] = block
    return found


def main(base: Path, lock: Path) -> None:
    """Rewrite LOCK as what it adds to BASE."""
    pinned, wanted = entries(base.read_text()), entries(lock.read_text())
    names = {line.split("==")[0]: line for line in pinned if ";" not in line}
    for line in wanted:
        name = line.split("==")[0]
        if ";" not in line and name in names and names[name] != line:
            sys.exit(f"{lock}: {line} but {base} has {names[name]}")
    lock.write_text("".join(block for line, block in wanted.items() if line not in pinned))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
