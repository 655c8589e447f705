"""``policy-brief effects``: what a panel allows, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError, RequestError

if TYPE_CHECKING:
    from ..effects.panel import Panel as PanelType

app = typer.Typer(no_args_is_help=True)

PanelFile = Annotated[Path, typer.Argument(help="面板：CSV、Parquet 或 Excel，一行一个单位一期")]
Unit = Annotated[str, typer.Option(help="单位列")]
Time = Annotated[str, typer.Option(help="时间列")]
Outcome = Annotated[str, typer.Option(help="结果列")]
FirstTreated = Annotated[str, typer.Option(help="首次实施时间列；空、0 为未实施")]
Covariate = Annotated[list[str] | None, typer.Option(help="不随时间变的协变量列，可多次给出（用于 did）")]
Until = Annotated[str | None, typer.Option(help="只用到这一期")]
Format = Annotated[str, typer.Option("--format", help="json 或 text")]
Draws = Annotated[int, typer.Option(help="随机化推断的重抽次数，至少 199")]
Seed = Annotated[int, typer.Option(help="随机数种子")]


@app.command()
def design(
    panel: PanelFile,
    unit: Unit,
    time: Time,
    outcome: Outcome,
    first_treated: FirstTreated,
    until: Until = None,
    draws: Draws = 399,
    seed: Seed = 0,
    format_: Format = "text",
) -> None:
    """设计报告：哪些单元格有对照、能看出多大的效应、哪些不作估计。不看效果。"""
    from ..effects.design import design as report

    made = report(_panel(panel, unit, time, outcome, first_treated, until), draws=draws, seed=seed)
    _print(made.as_json(), format_)


@app.command()
def estimate(
    panel: PanelFile,
    unit: Unit,
    time: Time,
    outcome: Outcome,
    first_treated: FirstTreated,
    method: Annotated[str, typer.Option(help="did、its 或 synthetic")] = "did",
    control: Annotated[
        str | None, typer.Option(help="did 的对照：never 或 not_yet；默认有从未实施者时用 never")
    ] = None,
    base: Annotated[
        str, typer.Option(help="did 的基期：varying、universal 或 all_pre；另一种并列")
    ] = "varying",
    cohort: Annotated[str | None, typer.Option(help="its：哪一批（首次实施时间）")] = None,
    family: Annotated[str, typer.Option(help="its 的模型：ols、quasipoisson 或 poisson")] = "ols",
    treated: Annotated[str | None, typer.Option(help="synthetic：哪个处理单位")] = None,
    covariate: Covariate = None,
    until: Until = None,
    draws: Draws = 999,
    seed: Seed = 0,
    format_: Format = "text",
) -> None:
    """估计效果，连同所据的设计、随机化推断与不作估计之处。"""
    from ..effects import estimate as run

    choices: dict[str, dict[str, Any]] = {
        "did": {"control": control, "base": base, "draws": draws, "seed": seed},
        "its": {"cohort": cohort, "family": family},
        "synthetic": {"treated": treated},
    }
    options = choices.get(method, {})
    _print(
        run(_panel(panel, unit, time, outcome, first_treated, until, covariate), method, **options), format_
    )


def _panel(
    file: Path,
    unit: str,
    time: str,
    outcome: str,
    first_treated: str,
    until: str | None,
    covariates: list[str] | None = None,
) -> PanelType:
    from ..effects import read

    made = read(
        _table(file),
        unit=unit,
        time=time,
        outcome=outcome,
        first_treated=first_treated,
        covariates=covariates or (),
    )
    return made if until is None else made.until(until)


def _table(file: Path) -> Any:
    import pandas as pd

    if not file.is_file():
        raise InputError("找不到面板文件", file=file, hint="请检查路径")
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": pd.read_csv, ".parquet": pd.read_parquet, ".xlsx": pd.read_excel
    }  # fmt: skip
    if file.suffix.lower() not in readers:
        raise InputError("不认识的面板文件类型", file=file, hint="请用 CSV、Parquet 或 Excel（.xlsx）")
    try:
        return readers[file.suffix.lower()](file)
    except (ValueError, OSError) as error:
        raise InputError(
            f"面板文件读不了：{str(error).splitlines()[0]}", file=file, hint="请用 UTF-8 保存后再试"
        ) from error


def _print(result: dict[str, Any], form: str) -> None:
    import json

    if form == "json":
        typer.echo(json.dumps(result, ensure_ascii=False, allow_nan=False, default=_plain))
        return
    if form != "text":
        raise RequestError("没有这种输出格式", value=form, hint="可用：json、text")
    for name, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            typer.echo(f"{name}：")
            typer.echo("\t".join(value[0]))
            for row in value:
                typer.echo("\t".join(_text(cell) for cell in row.values()))
        elif isinstance(value, list):
            typer.echo(f"{name}：" + "；".join(_text(cell) for cell in value))
        elif isinstance(value, dict):
            typer.echo(f"{name}：" + "，".join(f"{key} {_text(cell)}" for key, cell in value.items()))
        else:
            typer.echo(f"{name}：{_text(value)}")


def _text(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
