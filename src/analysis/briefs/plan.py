"""From a request to runs (计划): which reports, periods and regions are built, with which parameters and inputs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import regions
from ..errors import CodebookError, InputError, RequestError
from ..periods import Period
from . import inputs, parameters
from .definitions import FORMATS, Definition, RegionRule
from .inputs import Digests, Source
from .ready import place, ready

ALL = "all"


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line (请求); empty means the default.

    Attributes
    ----------
    periods, regions, level
        As the user wrote them.
    inputs
        Input name → path or URL, in place of the definition's.
    parameters
        Parameter name → value.
    formats
        ``html`` is always made; empty: the definition's.
    """

    periods: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    level: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One brief to be (一次运行).

    Attributes
    ----------
    definition, region, period
        What is built; region code and period as text, ``None`` where the report has none.
    inputs
        Its inputs, located.
    values
        The value of every parameter of its notebook.
    formats
        Of html, pdf, docx.
    asked
        Inputs, parameters and formats that were given for it, in place of the definition's.
    """

    definition: Definition
    region: str | None
    period: str | None
    inputs: Mapping[str, Source]
    values: Mapping[str, Any]
    formats: tuple[str, ...]
    asked: Mapping[str, Any]

    @property
    def id(self) -> str:
        """``monthly/990101/2024-03``: also its folder within the site."""
        return f"{self.definition.id}/{self.region or ALL}/{self.period or ALL}"

    @property
    def region_name(self) -> str | None:
        """Full name with the regions above it, as 示例省某市某县."""
        if self.region is None:
            return None
        return "".join(part.name for part in regions.load().path(self.region))

    @property
    def period_label(self) -> str | None:
        """2024年3月."""
        return None if self.period is None else Period.parse(self.period).label


@dataclass(frozen=True)
class Coverage:
    """What some case data hold (数据范围): first and last date, the region codes in them, and whether simulated."""

    first: dt.date
    last: dt.date
    regions: tuple[str, ...]
    simulated: bool

    def latest(self, frequency: str) -> Period:
        """The last period that is complete in the data."""
        period = Period.containing(self.last, frequency)
        return period if period.end <= self.last else period.previous


def plan(
    definitions: Sequence[Definition],
    request: Request,
    digests: Digests,
    say: Callable[[str], None] = lambda text: None,
    making: Callable[[], object] = lambda: None,
) -> list[Run]:
    """All runs of a request, in order of period within a report.

    Parameters
    ----------
    definitions
        The reports named, or all of them.
    request
        What was asked.
    digests
        The memory in which the extent of the data is kept.
    say
        Told each default that was chosen.
    making
        Called once when inputs have yet to be prepared, which takes a while.

    Raises
    ------
    RequestError
        Unknown or unfitting region, period, parameter or format; all of them in one message.
    InputError
        A required input is missing.
    """
    _check(definitions, request)
    problems: list[str] = []
    runs: list[Run] = []
    for definition in definitions:
        notebook = read_notebook(definition)
        declared = parameters.declared(notebook)
        coverage = _Lazy(definition, request, digests)
        periods = _periods(definition, request, coverage, problems, say)
        places = _regions(definition, request, coverage, problems, say)
        runs += [_run(definition, request, place, period, declared) for period in periods for place in places]
    if problems:
        raise RequestError("请求有误：" + "；".join(dict.fromkeys(problems)))
    prepared = _all_ready(runs, digests, making, say)
    runs = [_prepared(run, prepared) for run in runs]
    return sorted(runs, key=lambda run: (run.definition.id, run.period or "", run.region or ""))


def _all_ready(
    runs: Sequence[Run], digests: Digests, making: Callable[[], object], say: Callable[[str], None]
) -> dict[str, Source]:
    """Each location that is wanted prepared, in that form; several are prepared at once."""
    wanted = {
        source.location: replace(source, prefixes={}, slices={})
        for run in runs
        for name, source in run.inputs.items()
        if run.definition.inputs[name].prepared
    }
    made = {location: place(source, digests) for location, source in wanted.items()}
    if any(folder is not None and not folder.is_dir() for folder in made.values()):
        making()
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        forms = dict(zip(wanted, pool.map(ready, wanted.values(), made.values()), strict=True))
    for location, folder in made.items():
        if folder is not None and not folder.is_dir():
            say(f"{location} 未能预处理，每份简报改为各自读取原始数据，用时会长")
    return forms


def _prepared(run: Run, made: Mapping[str, Source]) -> Run:
    """The run with the inputs that its definition wants prepared in that form."""
    found = {}
    for name, source in run.inputs.items():
        wanted = run.definition.inputs[name].prepared
        if wanted:
            form = made[source.location]
            if form.origin is None:
                # A corpus in its cleaned form; or case data as they are, whose tables have other names than the slices.
                source = replace(source, prefixes={}, slices={}, served=form.served)
            elif isinstance(wanted, tuple) and not _at(run.region, wanted):
                source = replace(source, prefixes={}, slices={}, served=form.location)
            else:
                source = replace(source, location=form.location, origin=source)
        found[name] = source
    return replace(run, inputs=found)


def _at(region: str | None, levels: tuple[str, ...]) -> bool:
    return region is not None and regions.load().get(region).level in levels


def read_notebook(definition: Definition) -> dict[str, Any]:
    """The definition's notebook as plain JSON, sources joined (nbformat's own reading takes a second to import).

    Raises
    ------
    CodebookError
        It is missing or no notebook.
    """
    file = definition.notebook_file
    if not file.is_file():
        raise CodebookError("报告定义所写的笔记本不存在", file=file, hint=f"请修改 {definition.file.name}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        assert content["nbformat"] >= 4
        for cell in content["cells"]:
            cell["source"] = "".join(cell["source"])
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise CodebookError("不是有效的笔记本", file=file, hint="请用 JupyterLab 打开并重新保存") from error
    return content


def coverage_of(source: Source, digests: Digests) -> Coverage:
    """The extent of case data, remembered by their content."""
    content = digests.of_source(source)["sha256"]
    key = f"coverage:{content}"
    known = digests.recall(key) if content else None
    if known is None:
        known = _stated(source) or _measured(source)
        if content:
            digests.remember(key, known)
    return Coverage(
        dt.date.fromisoformat(known["first"]),
        dt.date.fromisoformat(known["last"]),
        tuple(known["regions"]),
        bool(known["simulated"]),
    )


def _stated(source: Source) -> dict[str, Any] | None:
    """The extent that a folder of our own tables states of itself, without opening the tables."""
    folder = Path(source.location)
    matters, window = folder / "matters.parquet", _metadata(source).get("window")
    if not isinstance(window, dict) or not matters.is_file():
        return None
    import pyarrow.parquet as pq

    codes = pq.read_table(matters, columns=["locality_code"])["locality_code"].unique().to_pylist()
    return {
        "first": window["start"],
        "last": window["end"],
        "regions": sorted(code for code in codes if code),
        "simulated": bool(_metadata(source).get("simulated")),
    }


def _measured(source: Source) -> dict[str, Any]:
    """The extent of any case data, by reading them."""
    from .. import cases

    tables = cases.load(source.location)
    first, last = tables.extent
    if first is None or last is None:
        raise InputError("案件数据中没有带日期的行", file=source.shown, hint="请检查数据或列的对应")
    codes = tables.matters.locality_code.name("code").as_table().distinct().to_pandas()["code"].dropna()
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "regions": sorted(map(str, codes)),
        "simulated": bool(tables.simulated),
    }


def _metadata(source: Source) -> dict[str, Any]:
    """What a folder says of itself in ``metadata.json``."""
    file = Path(source.location) / "metadata.json"
    if source.is_url or not file.is_file():
        return {}
    try:
        stated = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return stated if isinstance(stated, dict) else {}


def facts_of(source: Source, digests: Digests) -> dict[str, Any]:
    """What an input says of itself: ``as_of`` and ``simulated``, from its ``metadata.json`` or its case data."""
    stated = _metadata(source)
    if {"as_of", "simulated"} & set(stated):
        return {name: stated.get(name) for name in ("as_of", "simulated")}
    if source.kind != "cases":
        return {}
    known = coverage_of(source, digests)
    return {"as_of": known.last.isoformat(), "simulated": known.simulated}


class _Lazy:
    """The coverage of a definition's case data, read when first asked for."""

    def __init__(self, definition: Definition, request: Request, digests: Digests) -> None:
        self._ask = (definition, request, digests)
        self._got: Coverage | None = None
        self._asked = False

    def get(self) -> Coverage | None:
        if not self._asked:
            definition, request, digests = self._ask
            self._asked = True
            located = inputs.locate(definition, request.inputs, None)
            for source in located.values():
                if source.kind == "cases":
                    self._got = coverage_of(source, digests)
        return self._got


def _check(definitions: Sequence[Definition], request: Request) -> None:
    problems = [
        f"没有 {name} 这种格式（可用 html、pdf、docx）" for name in request.formats if name not in FORMATS
    ]
    known = {name for definition in definitions for name in definition.inputs}
    problems += [
        f"所选报告没有输入 {name}（有：{'、'.join(sorted(known)) or '无'}）"
        for name in request.inputs
        if name not in known
    ]
    if request.periods and not any(definition.period for definition in definitions):
        problems.append("所选报告没有报告期，请去掉 --period")
    if (request.regions or request.level) and not any(definition.region for definition in definitions):
        problems.append("所选报告不分地区，请去掉 --region 或 --level")
    if request.level and request.level not in regions.LEVELS:
        problems.append(f"没有 {request.level} 这一级（可用 {'、'.join(regions.LEVELS)}）")
    if problems:
        raise RequestError("请求有误：" + "；".join(problems))


def _periods(
    definition: Definition,
    request: Request,
    coverage: _Lazy,
    problems: list[str],
    say: Callable[[str], None],
) -> list[str | None]:
    if definition.period is None:
        return [None]
    frequency = definition.period.frequency
    chosen: list[str | None] = []
    for text in request.periods:
        try:
            period = Period.parse(text)
        except RequestError as error:
            problems.append(str(error))
            continue
        if frequency not in ("any", period.frequency):
            problems.append(f"报告 {definition.id} 的报告期应如 {_EXAMPLES[frequency]}，得到 {text}")
        elif (known := coverage.get()) and not (known.first <= period.end and period.start <= known.last):
            problems.append(f"报告期 {text} 不在数据范围内（{known.first} 至 {known.last}）")
        else:
            chosen.append(str(period))
    if request.periods:
        return chosen
    if frequency == "any":
        say(f"{definition.id}：没有给 --period，取全部资料")
        return [None]
    if (known := coverage.get()) is None:
        problems.append(f"报告 {definition.id} 需要 --period：它的输入不含可推断报告期的案件数据")
        return []
    latest = known.latest(frequency)
    say(f"{definition.id}：报告期 {latest}（数据截至 {known.last}，最近的完整一期）")
    return [str(latest)]


_EXAMPLES = {"month": "2024-03", "quarter": "2024Q1", "half": "2024H1", "year": "2024"}


def _regions(
    definition: Definition,
    request: Request,
    coverage: _Lazy,
    problems: list[str],
    say: Callable[[str], None],
) -> list[str | None]:
    rule = definition.region
    if rule is None:
        return [None]
    table = regions.load()
    chosen: list[str | None] = []
    for code in request.regions:
        try:
            region = table.get(code)
        except RequestError as error:
            problems.append(str(error))
            continue
        if region.level not in rule.levels:
            problems.append(f"报告 {definition.id} 只做{'、'.join(rule.levels)}级，{code} 是{region.level}级")
        elif (known := coverage.get()) and not any(_within(each, code) for each in known.regions):
            problems.append(f"数据中没有 {code}（{region.name}）的事项")
        else:
            chosen.append(code)
    if request.level:
        chosen += [
            code
            for code in _of_level(definition, rule, request.level, coverage, problems)
            if code not in chosen
        ]
    if request.regions or request.level:
        return chosen
    if rule.default is None and not rule.required:
        say(f"{definition.id}：没有给 --region，不限地区")
        return [None]
    if rule.default is None:
        problems.append(f"报告 {definition.id} 需要 --region 或 --level")
        return []
    say(f"{definition.id}：地区 {rule.default}（定义的默认值）")
    return [rule.default]


def _of_level(
    definition: Definition, rule: RegionRule, level: str, coverage: _Lazy, problems: list[str]
) -> Sequence[str]:
    """What ``--level`` stands for; where it stands for nothing that is a problem of the request."""
    if level not in rule.levels:
        problems.append(f"报告 {definition.id} 只做{'、'.join(rule.levels)}级，没有{level}级")
        return []
    known = coverage.get()
    found = at_level(level, rule.default, known)
    if not found and known is None and rule.default is None:
        problems.append(
            f"报告 {definition.id} 的输入里没有案件数据，无从列出各{level}，不能用 --level：请用 --region 逐个给出代码"
        )
    elif not found:
        where = "案件数据" if known is not None else rule.default
        problems.append(f"报告 {definition.id}：{where}里没有{level}级地区，请改用 --region")
    return found


def at_level(level: str, within: str | None, coverage: Coverage | None) -> list[str]:
    """All region codes of a level: those in the data, or all below the given region."""
    if coverage is not None:
        found = {
            {"省": each[:2] + "0000", "市": each[:4] + "00", "县": each}[level] for each in coverage.regions
        }
        # Rows may name a city itself as their place: it is no county.
        return sorted(
            code for code in found if code in regions.load() and regions.load().get(code).level == level
        )
    if within is None:
        return []
    table = regions.load()
    # A province's children are its cities and the counties that stand under it directly.
    inside = [table.get(within), *table.children(within), *table.counties(within)]
    return sorted({region.code for region in inside if region.level == level})


def _within(code: str, region: str) -> bool:
    return code.startswith(
        region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region
    )


def _run(
    definition: Definition,
    request: Request,
    region: str | None,
    period: str | None,
    declared: Mapping[str, parameters.Parameter],
) -> Run:
    given = {name: path for name, path in request.inputs.items() if name in definition.inputs}
    located = inputs.locate(definition, given, region)
    missing = [name for name in definition.inputs if name not in declared]
    if missing:
        raise CodebookError(
            f"笔记本没有声明参数 {'、'.join(missing)}，而报告定义列有这些输入",
            file=definition.notebook_file,
            hint='请在 parameters 单元中声明，如 cases: str = "inputs/cases"',
        )
    ours = {
        "period": period,
        "region": region,
        "audience": definition.audience,
        "classification": definition.classification,
        "advice": None,
        "previous": None,
        **dict.fromkeys(definition.inputs),
        **{name: source.parameter for name, source in located.items()},
    }
    taken = [name for name in request.parameters if name in ours]
    if taken:
        raise RequestError(
            f"参数 {'、'.join(taken)} 由引擎填写，不能用 --param 给出",
            hint="请用 --period、--region、--input",
        )
    own = {name: parameter for name, parameter in declared.items() if name not in ours}
    values = parameters.resolve(own, request.parameters, definition.parameters)
    filled = {name: ours[name] for name in declared if name in ours}
    formats = tuple(
        name for name in FORMATS if name == "html" or name in (request.formats or definition.formats)
    )
    asked = {
        # Paths as found: the command may be repeated from another folder.
        "inputs": {name: located[name].location for name in given if name in located},
        "parameters": dict(request.parameters),
        "formats": list(request.formats),
    }
    return Run(definition, region, period, located, {**filled, **values}, formats, asked)
