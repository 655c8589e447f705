"""The site's index and feed (目录): static pages written from the manifests, without a database."""

from __future__ import annotations

from .publish import Site


def write(site: Site) -> None:
    """Write ``index.html`` and ``feed.xml``."""
