"""The command line ``policy-brief``: parses and calls, nothing else.

Each noun has a file of its own whose heavy imports stand inside the command bodies, so that ``--help`` answers at once.
Exit status: 0 done, 1 some runs failed (all others are published), 2 the request itself is wrong.
Results go to stdout, progress and complaints to stderr.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point: run the command, turn our own errors into one sentence and exit status 2."""
    from ..errors import PolicyBriefError
    from .app import app

    try:
        app()
    except PolicyBriefError as error:
        print(f"policy-brief: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
