"""The papermill engine ``policy-brief``."""

from __future__ import annotations

from papermill.engines import NBClientEngine


class PolicyBriefEngine(NBClientEngine):
    """Runs cells in a single-use process; plain papermill for the moment."""
