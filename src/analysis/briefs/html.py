"""HTML of a brief (网页): nbconvert with a template of ours, one self-contained file, no code, no request to any host.

The exporter derives from nbconvert's ``TemplateExporter`` and not from ``HTMLExporter``, whose validator replaces
``zh-CN`` by ``en`` and whose page is parsed a second time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbconvert.exporters import TemplateExporter

from ..display import theme
from . import reader
from .document import Document, Meta
from .webfont import FAMILY, WebFont

TEMPLATES = Path(__file__).parent / "templates"
_FONT_GOES_HERE = (
    "{font}"  # the subset holds what the finished page prints, the template's own words included
)


class BriefExporter(TemplateExporter):
    """``jupyter nbconvert --to policy-brief``: any executed notebook as a brief; meta from ``metadata["policy_brief"]``."""

    file_extension = ".html"
    export_from_notebook = "Policy brief (HTML)"
    output_mimetype = "text/html"

    def __init__(self, **options: Any) -> None:
        options.setdefault("template_name", "brief")
        options.setdefault("extra_template_basedirs", [str(TEMPLATES)])
        super().__init__(**options)
        self._font = WebFont()

    @property
    def default_config(self) -> Any:
        """No preprocessor: cells are read, not changed."""
        config = super().default_config
        config.Exporter.default_preprocessors = []
        return config

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.filters["kind"] = lambda block: type(block).__name__
        return environment

    def from_notebook_node(  # type: ignore[override]
        self, nb: Any, resources: Any = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        """The page and nbconvert's resources; ``resources["document"]`` saves reading the notebook again."""
        resources = dict(resources or {})
        document = resources.get("document") or reader.read(nb, _meta_of(nb))
        resources["document"] = document
        resources["provenance"] = provenance_script(document.meta.provenance)
        resources["font"] = {"family": FAMILY, "woff": _FONT_GOES_HERE}
        resources["colours"] = theme.load()["colours"]
        page, resources = super().from_notebook_node(_shell(nb), resources, **options)
        woff = base64.b64encode(self._font.subset(page)).decode()
        return page.replace(_FONT_GOES_HERE, woff, 1), resources

    def page(self, document: Document, notebook: Any) -> bytes:
        """The page of a document that was read before, as UTF-8."""
        page, _ = self.from_notebook_node(notebook, {"document": document})
        return page.encode()


def provenance_script(provenance: Mapping[str, Any]) -> str:
    """Provenance as JSON that can stand in a ``<script>`` element."""
    text = json.dumps(provenance, ensure_ascii=False, sort_keys=True, default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _shell(nb: Any) -> Any:
    """The notebook without its cells: the template prints the document, so nothing else need be copied or checked."""
    import nbformat

    return nbformat.v4.new_notebook(metadata=nb.get("metadata", {}))


def _meta_of(nb: Any) -> Meta:
    known = nb.get("metadata", {}).get("policy_brief", {})
    return Meta(**{"title": "简报", **known})
