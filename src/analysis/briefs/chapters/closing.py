"""The closing chapters: 与上期相比, 存在问题, 下步建议, 数据质量与方法, 附录."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import cases as case_tables
from ... import codebooks, display
from ...cases import registry
from ...display.session import current, mime
from .history import judged
from .scope import FOLLOWED, PARTS, Scope, headline, known, result_name

SEVERE = "错误"


def changes(scope: Scope, previous: str | None) -> None:
    """与上期相比, and the revisions table; nothing without a last brief."""
    from ..compare import printed, revisions, since

    moved = since(previous)
    if moved is None or previous is None:
        return
    _certify_previous(scope, printed(previous))
    display.text("## 与上期相比")
    if moved.empty:
        display.text("与上期简报相比，主要结果没有变化。")
    else:
        display.table(
            moved,
            name="changes",
            caption="主要结果与上期简报相比",
            digits={"变化": 2},
            note="区间一栏说明两期的95%区间是重叠还是分离，重叠的不宜说成升降。",
        )
    revised = revisions(previous, _recomputed(scope))
    if revised is not None and len(revised):
        display.table(
            revised,
            name="revisions",
            caption="修订表：上期公布数与按现有数据重算数",
            digits={"上期公布": 2, "现在重算": 2, "修订": 2},
            note="补录、更正与迟到的办理结果都会引起修订。",
        )


def _certify_previous(scope: Scope, printed: Mapping[str, Any]) -> None:
    """What the last brief printed and the data of today would not let it print, for the manifest; it prints nothing.

    Late entries and corrections change the counts of a month that is past. What is public stays so: it can only be known.
    """
    if scope.release is None:
        return
    before = scope.period.previous
    rows = case_tables.indicators(scope.tables, before, scope.region.code, scope.as_of)
    rows = rows[rows["value"].notna()]
    keys = zip(rows["indicator"], rows["variant"], rows["part_of"], rows["view"], strict=True)
    rows = scope.gated(rows.assign(result=[result_name(*key) for key in keys]))
    rows = rows[rows["result"].isin(list(printed))]
    withheld = sorted(set(rows.loc[~rows["shown"], "result"]))
    made = {
        "scope": "previous",
        "profile": scope.audience,
        "period": str(before),
        "printed": int(rows["result"].nunique()),
        "withheld_now": len(withheld),
        "results": withheld,
    }
    current().emit({mime("certificate"): made})


def _recomputed(scope: Scope) -> dict[str, float | None]:
    """Each headline of the last period as the data of today give it, under the name its result has."""
    table = scope.table
    rows = table[
        (table["view"] == "环比")
        & table["part_of"].isna()
        & (table["variant"] == table["indicator"].map(headline))
    ]
    rows = scope.gated(rows)
    found: dict[str, float | None] = {}
    for row in rows[rows["shown"]].to_dict("records"):
        entry = registry.indicator(row["indicator"])
        if entry.kind in ("share", "clock") and row["denominator"] > 0:
            found[entry.name] = 100 * row["numerator"] / row["denominator"]
        elif entry.kind in ("count", "level"):
            found[entry.name] = row["numerator"]
    return found


def problems(scope: Scope) -> None:
    """存在问题: what the charts and clocks signal, about institutions and processes only."""
    display.text("## 存在问题")
    said, signalled = 0, set()
    for id in known(FOLLOWED):
        found = judged(scope, id)
        if found is None or found["type"] != "concern":
            continue
        entry = registry.indicator(id)
        beside = f"{{{scope.result(id).name}}}，" if scope.has(id) else ""
        if entry.options.get("after_months"):
            display.finding(
                f"{entry.name}{beside}{scope.last_month}{found['rule_name']}；来源只有{scope.since}以来的登记，逐月累积也会使它上升，"
                "宜先按登记年份核对。",
                grade="受数据起点影响",
            )
        else:
            also = "，应逐项核对期限与延期手续" if id == "overdue_open" else ""
            display.finding(
                f"{entry.name}{beside}{scope.last_month}{found['rule_name']}，方向不利，宜查明原因{also}。",
                grade="需关注",
            )
            signalled.add(id)
        said += 1
    if (
        "overdue_open" not in signalled
        and scope.has("overdue_open")
        and (scope.row("overdue_open") or {})["value"] > 0
    ):
        display.finding(
            f"期末超期未办结{{{scope.result('overdue_open').name}}}，应逐项核对期限与延期手续。",
            grade="需关注",
        )
        said += 1
    missing = [
        entry.name
        for id, entry in registry.indicators().items()
        if (row := scope.row(id)) is not None
        and isinstance(row["note"], str)
        and row["note"].startswith("无数据来源")
    ]
    if missing:
        display.finding(f"以下指标没有数据来源，无法评价：{'、'.join(missing)}。", grade="数据缺口")
        said += 1
    if not said:
        display.text(f"各项指标{scope.last_month}均属常规波动，没有需要特别指出的问题。")


def advice(file: str | None) -> None:
    """下步建议, written by a person; no chapter without the file."""
    if not file or not Path(file).exists():
        return
    text = Path(file).read_text(encoding="utf-8-sig").strip()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("<!--")]
    if lines and lines[0].startswith("#"):
        lines = lines[1:]
    display.text("## 下步建议\n\n" + "\n".join(lines).strip().replace("{", "{{").replace("}", "}}"))


def quality(scope: Scope, *, with_doubts: bool = False) -> None:
    """数据质量与方法: rejected rows by rule, how far shares could move, how the numbers were made."""
    display.text("## 数据质量与方法")
    rejects(scope)
    if with_doubts:
        doubts(scope)
    methods(scope)


def rejects(scope: Scope) -> None:
    """Rows that break a rule, and the bounds they put on shares."""
    from ...cases import check

    lines = check(scope.tables, scope.as_of)
    total = display.result("不合规则的行次", len(lines), unit="行次", source="cases.check")
    display.finding(f"按校验规则检出{{{total.name}}}，均列入问题清单退回登记单位，没有自动删改。")
    if len(lines):
        columns = {"source": "来源", "rule": "规则", "severity": "级别", "message": "说明"}
        counts = lines.groupby(["source", "rule", "severity"], as_index=False).agg(
            行数=("rule", "size"), message=("message", "first")
        )
        frame = counts.rename(columns=columns)[["来源", "规则", "级别", "行数", "说明"]]
        display.table(
            frame.sort_values("行数", ascending=False, kind="stable"),
            name="rejects",
            caption="校验未通过的行次",
            note="一行违反一条规则计一次；说明取其中一例。",
        )


def doubts(scope: Scope) -> None:
    """How far each share could move if every doubted row were wrong; for the longer briefs."""
    from ...cases.reject import bounds

    found = bounds(scope.tables, scope.as_of)
    found = found[found["doubted"] > 0]
    if len(found):
        frame = found.assign(
            率=found["value"] * 100, 下界=found["low"] * 100, 上界=found["high"] * 100
        ).rename(columns={"name": "指标", "doubted": "存疑行数", "denominator": "分母"})
        display.table(
            frame[["指标", "率", "下界", "上界", "存疑行数", "分母"]],
            name="bounds",
            caption="存疑数据对各率的最大影响（全部数据）",
            units={"率": "%", "下界": "%", "上界": "%"},
            note="把字段存疑的行全部当作不合格、再全部当作合格，率所能到达的两端。",
        )


def methods(scope: Scope) -> None:
    """How the numbers were made, in a few sentences."""
    systems = "、".join(scope.tables.systems) or "未注明"
    display.text(
        f"""### 方法

- 数据截至{scope.snapshot}，只统计“{scope.tables.system or "未注明"}”系统；来源中的系统有：{systems}，各系统从不相加。
- 信访件与信访事项分别计数；率按到期事项计算（期限落在本期、到截止日已届满），未届满的不计入分母。
- 率的区间为 Wilson 95% 区间；逐月走势用控制图（XmR，分母悬殊时用 p′）判断是否超出常规波动。
- 地区比较用经过度离散调整的漏斗图与名次区间；件数不足最低数的只列出，不排名。
- {_disclosure(scope)}"""
    )


def annex(scope: Scope) -> None:
    """附录: the definition of every indicator printed, the target of the numbers' links."""
    import pandas as pd

    certify(scope)
    used = display.targets("#d-")
    rows: list[dict[str, Any]] = []
    for part in PARTS:
        for id, entry in registry.indicators().items():
            for variant in entry.variants.values():
                anchor = f"d-{id}.{variant.id}@{entry.version}"
                if entry.part != part or f"#{anchor}" not in used:
                    continue
                plain = variant.id == headline(id)
                rows.append(
                    {
                        "环节": part,
                        "指标": entry.name if plain else f"　{variant.name}",
                        "主体": entry.actor,
                        "条款": entry.article,
                        "口径与来源": _definition(entry, variant, plain),
                        "编号": f"{id}.{variant.id}",
                        "_锚": anchor,
                    }
                )
    if not rows:
        return
    display.text("## 附录")
    display.text("### 指标口径")
    display.table(
        pd.DataFrame(rows),
        name="definitions",
        caption="本简报所用指标的口径",
        anchor="_锚",
        note=f"指标目录版本 {codebooks.load('indicators')['version']}；缩进的为并列口径或分列。",
    )


def certify(scope: Scope) -> None:
    """The audit of all that the brief asked about, for the manifest; it prints nothing, and refuses the brief if it fails."""
    if scope.release is not None:
        current().emit({mime("certificate"): scope.release.certificate()})


def _definition(entry: registry.Indicator, variant: registry.Variant, plain: bool) -> str:
    if not plain:
        return variant.source or "口径如名"
    pieces = [entry.definition, entry.definition_source]
    if entry.valid_from:
        pieces.append(f"{entry.valid_from}起")
    return "；".join(dict.fromkeys(str(piece) for piece in pieces if piece)) or "见指标目录"


def _disclosure(scope: Scope) -> str:
    if scope.audience is None:
        return "本简报为内部资料，未作小数抑制。"
    from ...cases.disclosure import Profile

    profile = Profile.named(scope.audience)
    return f"对外分享按“{profile.name}”处理：不超过{profile.threshold}的数及可由其他数推出它的数均不示。"
