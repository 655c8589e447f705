"""``policy-brief cases``: check, indicators, compare, simulate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(metavar="FILE|URL", help="案件数据：CSV、Excel、Parquet 文件，文件夹，或数据库地址")
]
Mapping = Annotated[Path | None, typer.Option(help="映射文件（YAML）：列名、用语的对应")]
Format = Annotated[str, typer.Option("--format", help="输出格式：json 或 csv")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="截止时间，如 2024-03-31；默认为数据的最后时刻")]
PeriodOption = Annotated[
    str | None, typer.Option("--period", help="报告期：2024-03、2024Q1、2024H1、2024；默认全部数据")
]


@app.callback()
def _noun() -> None:
    """Hold the verbs of this noun."""


@app.command()
def check(
    source: Source,
    mapping: Mapping = None,
    as_of: AsOf = None,
    format: Format = "json",
    out: Annotated[Path | None, typer.Option(help="逐行问题清单写到这个 CSV 文件")] = None,
) -> None:
    """校验案件数据：json 给出每条规则的问题行数，csv 逐行列出（一行坏数据 × 一条规则 = 一行）。"""
    from ..cases import check as check_tables
    from ..cases import export, load

    _formats(format)
    rejects = check_tables(load(source, mapping=mapping), as_of)
    if out is not None:
        export.to_csv(rejects, out)
    if format == "csv":
        typer.echo(export.csv_text(rejects), nl=False)
    else:
        _json(rejects.attrs["counts"])


@app.command()
def indicators(
    source: Source,
    mapping: Mapping = None,
    period: PeriodOption = None,
    as_of: AsOf = None,
    region: Annotated[str | None, typer.Option(help="行政区划代码（文本）；默认全部")] = None,
    by: Annotated[
        str | None, typer.Option(help="分组：region、city、county，或字段名，如 responsible_body、channel")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--indicator", help="只算这个指标，可多次")] = None,
    format: Format = "json",
    out: Annotated[Path | None, typer.Option(help="附表写到这个 Excel 文件")] = None,
) -> None:
    """计算指标：各口径并列，本期、本年累计、同比、环比。"""
    from ..cases import check as check_tables
    from ..cases import export, load
    from ..cases import indicators as compute
    from ..cases.coverage import require
    from ..cases.load import moment

    _formats(format)
    tables = load(source, mapping=mapping)
    require(tables, period, region)
    now = moment(as_of, tables)
    table = compute(tables, period, region, now, by, only=only)
    if out is not None:
        mark = "模拟数据" if tables.simulated else f"截止时间 {now:%Y-%m-%d}"
        export.to_excel({"指标": table}, out, notes={"指标": mark})
    if format == "csv":
        typer.echo(export.csv_text(table), nl=False)
    else:
        first, last = tables.extent
        _json(
            {
                "as_of": now.isoformat(timespec="seconds"),
                "period": period or "all",
                "extent": [first and first.isoformat(), last and last.isoformat()],
                "system": tables.system,
                "other_systems": {name: n for name, n in tables.systems.items() if name != tables.system},
                "simulated": tables.simulated,
                **_clock_summary(table),
                "flagged": {rule: n for rule, n in check_tables(tables, now).attrs["counts"].items() if n},
                "indicators": _records(table),
            }
        )


@app.command()
def compare(
    source: Source,
    indicator: Annotated[str, typer.Option(help="指标，如 on_time")],
    by: Annotated[
        str,
        typer.Option(
            help="比较对象：body（责任单位）、office（信访部门）、region（下一级地区）、city、county"
        ),
    ] = "region",
    mapping: Mapping = None,
    period: PeriodOption = None,
    as_of: AsOf = None,
    region: Annotated[str | None, typer.Option(help="只比较这个地区之内的；默认全部")] = None,
    format: Format = "json",
) -> None:
    """比较单位或地区：数量、比率、漏斗界限、名次及其区间。"""
    from ..cases import export, load
    from ..cases.compare import compare as compare_tables
    from ..cases.coverage import require

    _formats(format)
    tables = load(source, mapping=mapping)
    require(tables, period, region)
    table = compare_tables(tables, indicator, by=by, period=period, as_of=as_of, region=region)
    if format == "csv":
        typer.echo(export.csv_text(table), nl=False)
    else:
        _json(_records(table))


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="写到这个文件夹")],
    seed: Annotated[int, typer.Option(help="随机数种子；同一种子逐字节相同")] = 20240101,
) -> None:
    """生成示例省的模拟案件数据（带“模拟数据”标记）。"""
    from ..cases.simulate import simulate as write

    typer.echo(str(write(out, seed)))


def _formats(format: str) -> None:
    if format not in ("json", "csv"):
        raise RequestError("不认识的输出格式", value=format, hint="可用：json、csv")


def _clock_summary(table: pd.DataFrame) -> dict[str, Any]:
    """The four states and the shares of the headline clock, as one looks for them first."""
    rows = table[(table["indicator"] == "on_time") & (table["view"] == "本期") & table["value"].notna()]
    if not len(rows) or rows["region_code"].nunique() > 1 or rows["group"].notna().any():
        return {}
    status = rows["variant"] == "status"
    return {
        "status": rows[status].set_index("part_of")["numerator"].astype(int).to_dict(),
        "on_time": rows[~status].set_index("variant")["value"].add_prefix("on_time_").to_dict(),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    import json

    return list(
        json.loads(table.to_json(orient="records", force_ascii=False, date_format="iso", double_precision=12))
    )


def _json(content: object) -> None:
    import json

    typer.echo(json.dumps(content, ensure_ascii=False, indent=1, default=str))
