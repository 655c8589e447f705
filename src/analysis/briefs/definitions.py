"""Report definitions (报告定义): one YAML a report under ``reports/definitions/``, read into one strict model.

The format is described in ``docs/engine.md``. A definition says *what* is built; it holds no machine's paths: every
path in it is relative to the project root (the folder above ``reports/definitions``), the advice file to the
definition itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from .. import codebooks
from ..errors import CodebookError, RequestError

HOME_VARIABLE = "POLICY_BRIEF_HOME"
FOLDER = Path("reports") / "definitions"
Format = Literal["html", "pdf", "docx"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "docx")

Level = Literal["省", "市", "县"]
Frequency = Literal["month", "quarter", "half", "year"]
Extent = Literal["self", "siblings", "city", "province"]


def load(name: str, root: Path | None = None) -> Definition:
    """The definition of one report, by its id.

    Raises
    ------
    RequestError
        No report of that id; the known ones are named.
    CodebookError
        The file is malformed; every fault is named.
    """
    root = root or project_root()
    file = root / FOLDER / f"{name}.yml"
    if not file.is_file():
        known = "、".join(names(root)) or "（无）"
        raise RequestError("没有这个报告", value=name, hint=f"现有报告：{known}；定义文件放在 {FOLDER}/")
    return read(file, root)


def load_all(root: Path | None = None) -> list[Definition]:
    """All definitions of the project, in order of their ids."""
    root = root or project_root()
    return [load(name, root) for name in names(root)]


def names(root: Path) -> list[str]:
    """The ids of all reports defined in a project."""
    return sorted(file.stem for file in (root / FOLDER).glob("*.yml"))


def project_root(start: Path | None = None) -> Path:
    """The project's folder: ``POLICY_BRIEF_HOME``, or the nearest one upwards that holds ``reports/definitions``.

    Raises
    ------
    RequestError
        There is none.
    """
    named = os.environ.get(HOME_VARIABLE)
    here = Path(named) if named else (start or Path.cwd())
    for folder in (here,) if named else (here, *here.resolve().parents):
        if (folder / FOLDER).is_dir():
            return folder.resolve()
    raise RequestError(
        f"找不到项目文件夹（其中应有 {FOLDER}/）",
        file=here,
        hint=f"请在项目文件夹内运行，或用 --project 或环境变量 {HOME_VARIABLE} 指明",
    )


def read(file: Path, root: Path) -> Definition:
    """Read one definition file.

    Raises
    ------
    CodebookError
        No YAML, or not of the format; every fault is named at once.
    """
    import yaml

    try:
        content = codebooks.parse(file.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CodebookError(
            f"报告定义不是有效的 YAML：{error}", file=file, hint="请用 UTF-8 保存并检查缩进"
        ) from error
    if not isinstance(content, dict):
        raise CodebookError("报告定义的最外层应为映射", file=file, hint="格式见 docs/engine.md")
    try:
        return Definition(**{"id": file.stem, **content}, file=file, root=root)
    except ValidationError as error:
        faults = "；".join(_fault(item) for item in error.errors())
        raise CodebookError(f"报告定义有误：{faults}", file=file, hint="格式见 docs/engine.md") from error


def _fault(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"]) or "整体"
    kind, message = item["type"], str(item["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        message = "没有这一项"
    elif kind == "missing":
        message = "缺少这一项"
    return f"{place}：{message}"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _text(value: Any) -> Any:
    # YAML reads an unquoted code or version as a number; 0 at the front would be lost, so that one is refused.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return str(value)


Text = Annotated[str, BeforeValidator(_text)]


class Slice(_Strict):
    """Which rows of an input a run may see (声明的数据切片): a region extent, and the column it is read from.

    Attributes
    ----------
    name
        What ``explain`` calls it, such as 本县 or 同市各县.
    region
        ``self`` (the run's region and all within), ``siblings`` (all regions with its parent), ``city``, ``province``.
    tables
        Table (file stem) → column with the region code, or ``other_table.key`` for rows whose ``key`` is among the
        slice's rows of the other table (pieces of the region's matters: ``petitions: matters.matter_id``).
    """

    name: str
    region: Extent
    tables: Mapping[str, str]


class Input(_Strict):
    """One input (输入): a file or folder, linked under ``inputs/<name>`` of each run's working folder.

    Attributes
    ----------
    path
        Default, relative to the project root; ``--cases``/``--corpus``/``--input name=path`` replace it. May be a
        database URL.
    kind
        ``cases`` (a folder of case tables: gives the last complete period and the regions), ``corpus``, ``table`` or
        ``file``. The default is the input's own name if that is one of these, else ``file``.
    required
        Whether a run is refused when nothing lies there; an absent optional input is passed as ``None``.
    prepared
        Of case tables or a corpus: runs see it in its prepared form (margins, cleaned documents), made once for all
        of them (see :mod:`.ready`); ``slices`` then name the prepared tables. A list of levels keeps it to the runs of
        regions of these levels; the others, which need more than margins, see the rows.
    slices
        When given, a run sees only these rows (they are written into its working folder) and its key holds only
        them; tables that no slice names are taken whole.
    """

    path: str | None = None
    kind: Literal["cases", "corpus", "table", "file"] = "file"
    required: bool = True
    description: str = ""
    prepared: bool | tuple[Literal["省", "市", "县"], ...] = False
    slices: tuple[Slice, ...] = ()


class Constraint(_Strict):
    """What the definition adds to a parameter of the notebook (参数约束): bounds, choices, another default."""

    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] | None = None
    pattern: str | None = None
    title: str = ""


class RegionRule(_Strict):
    """For which regions the report is made (适用地区).

    Attributes
    ----------
    default
        The region where the reader names none.
    required
        Whether there must be one; else the reader's choice, and none at all is all of the inputs (``region: any``).
    """

    levels: tuple[Level, ...] = ("省", "市", "县")
    default: Text | None = None
    required: bool = True


class PeriodRule(_Strict):
    """Of which length the report's periods are (报告期).

    Attributes
    ----------
    frequency
        ``any``: the reader's choice, and none at all is all of the data.
    """

    frequency: Frequency | Literal["any"]


class Schedule(_Strict):
    """When a periodic report falls due (排期).

    Attributes
    ----------
    lag_days
        Days after a period's last day until its report can be made.
    catch_up
        How many missed periods ``due`` makes up for, the newest first.
    regions
        Codes, or levels such as 县 for all of them; the definition's default region when empty.
    """

    lag_days: int = Field(default=10, ge=0, le=366)
    catch_up: int = Field(default=3, ge=1, le=120)
    regions: tuple[Text, ...] = ()


class Limits(_Strict):
    """What one run may take (单次运行限额)."""

    seconds: float = Field(default=900, gt=0)
    memory_mb: int = Field(default=4096, ge=256)
    retries: int = Field(default=1, ge=0, le=5)


class Definition(_Strict):
    """One report (报告定义). See ``docs/engine.md`` for the format and an example."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    notebook: str
    version: Text
    description: str = ""
    classification: Literal["公开", "内部"] = "公开"
    audience: str = "public"
    formats: tuple[Format, ...] = FORMATS
    period: PeriodRule | None = None
    region: RegionRule | None = None
    inputs: Mapping[str, Input] = Field(default_factory=dict)
    parameters: Mapping[str, Constraint] = Field(default_factory=dict)
    advice: str | None = None
    schedule: Schedule | None = None
    limits: Limits = Limits()
    file: Path
    root: Path

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Accept ``period: month``, ``region: any``, ``cases: path`` and ``top: {…}``'s bare default."""
        content = dict(content)
        if isinstance(content.get("period"), str):
            content["period"] = {"frequency": content["period"]}
        if content.get("region") == "any":
            content["region"] = {"required": False}
        inputs = content.get("inputs") or {}
        if isinstance(inputs, dict):
            content["inputs"] = {name: cls._input(name, item) for name, item in inputs.items()}
        parameters = content.get("parameters") or {}
        if isinstance(parameters, dict):
            content["parameters"] = {
                name: item if isinstance(item, (dict, Constraint)) else {"default": item}
                for name, item in parameters.items()
            }
        return content

    @staticmethod
    def _input(name: str, item: Any) -> Any:
        if isinstance(item, str) or item is None:
            item = {"path": item, "required": item is not None}
        if isinstance(item, dict) and "kind" not in item:
            item = {**item, "kind": name if name in ("cases", "corpus", "table") else "file"}
        return item

    @model_validator(mode="after")
    def _agree(self) -> Definition:
        if self.id != self.file.stem:
            raise ValueError(f"id 应与文件名一致（{self.file.stem}）")
        if "html" not in self.formats:
            raise ValueError("formats 必须包含 html：页面是其他格式的来源")
        if self.schedule and not self.period:
            raise ValueError("有 schedule 的报告必须写明 period")
        if self.schedule and self.period and self.period.frequency == "any":
            raise ValueError("有 schedule 的报告期长度要固定，不能是 any")
        for name, item in self.inputs.items():
            if not name.isidentifier() or name in ("period", "region", "advice"):
                raise ValueError(f"inputs.{name}：输入名应是变量名，且不能是 period、region、advice")
            if item.slices and not self.region:
                raise ValueError(f"inputs.{name}.slices：按地区切片的报告必须写明 region")
        return self

    @property
    def internal(self) -> bool:
        """Whether the brief is 内部: kept out of the shared site, index, feed and mail."""
        return self.classification == "内部"

    @property
    def notebook_file(self) -> Path:
        """The notebook, as an absolute path."""
        return self.root / self.notebook

    @property
    def advice_file(self) -> Path | None:
        """The file with 下步建议 (written by a person) beside the definition; ``None`` when there is none."""
        if self.advice is None:
            return None
        file = self.file.parent / self.advice
        return file if file.is_file() else None
