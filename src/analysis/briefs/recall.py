"""From a brief's name back to its run (按名找回): what ``explain``, ``verify`` and ``compare`` start from."""

from __future__ import annotations

from pathlib import Path

from ..errors import RequestError
from . import definitions, plan, publish
from .inputs import Digests
from .plan import Request, Run


def folder(name: str, site: Path) -> Path:
    """The folder of a published brief.

    Parameters
    ----------
    name
        ``report/region/period``, a beginning of it (the newest brief that fits), or a folder with a manifest.
    site
        The shared site; 内部 briefs are looked up beside it.

    Raises
    ------
    RequestError
        No such brief.
    """
    if (Path(name) / publish.MANIFEST).is_file():
        return Path(name).resolve()
    parts = name.strip("/").split("/")
    for root in (site, publish.internal(site)):
        found = [
            place.parent
            for place in root.glob("/".join([*parts, *["*"] * (3 - len(parts))]) + "/" + publish.MANIFEST)
        ]
        good = [place for place in found if not place.name.endswith(publish.FAILED_SUFFIX)]
        if good:
            return max(good, key=lambda place: (place.name, place.parent.name))
    raise RequestError(
        "没有这份已发布的简报", value=name, hint="写法为 报告/地区/报告期，可用 policy-brief list 查看"
    )


def run(name: str, site: Path, root: Path, digests: Digests) -> Run:
    """The run of a name, with the inputs and parameters it was published with, else the definition's.

    Raises
    ------
    RequestError
        No such report, region or period.
    """
    try:
        manifest = publish.read_manifest(folder(name, site))
    except RequestError:
        manifest = None
    if manifest is not None:
        report, region, period = manifest["report"], manifest["region"], manifest["period"]
        asked = manifest["request"]
    else:
        report, region, period = _parts(name)
        asked = {"inputs": {}, "parameters": {}, "formats": []}
    request = Request(
        periods=(period,) if period else (),
        regions=(region,) if region else (),
        inputs=asked["inputs"],
        parameters=asked["parameters"],
        formats=tuple(asked["formats"]),
    )
    (found,) = plan.plan([definitions.load(report, root)], request, digests)
    return found


def _parts(name: str) -> tuple[str, str | None, str | None]:
    report, region, period, *more = [*name.strip("/").split("/"), None, None]
    if more not in ([], [None], [None, None]) or report is None:
        raise RequestError("简报的名字写法不对", value=name, hint="写法为 报告/地区/报告期")
    return report, *(None if part in (None, plan.ALL) else part for part in (region, period))  # type: ignore[return-value]
