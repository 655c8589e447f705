"""People's codes (人工编码): a blind sheet to code on, its way back, and how it overrides the rules.

A sheet shows a sentence between its neighbours and nothing of what the rules found. Two people fill two copies; their agreement is
measured (:mod:`analysis.text.agreement`), then their codes replace the rules' sentence by sentence, and what changed is counted.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, MethodError, RequestError
from ..formulas import harmless, restored
from .coding import CODES, Codebook

if TYPE_CHECKING:
    import pandas as pd

_UNIT, _BEFORE, _TEXT, _AFTER = "编号", "上一句", "句子", "下一句"
YES = frozenset({"1", "1.0", "是", "√", "✓", "x", "X", "y", "Y", "true", "True", "TRUE"})
NO = frozenset({"", "0", "0.0", "否", "nan", "None", "false", "False", "FALSE", "<NA>"})


def draw(
    sentences: pd.DataFrame,
    codebook: Codebook | str | Path = "five_part",
    *,
    n: int = 200,
    seed: int = 2022,
    codes: pd.DataFrame | None = None,
    among: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A blind sheet of ``n`` sentences, in random order (盲编表).

    Parameters
    ----------
    codes
        Codes by rule. Given, half of the sheet is drawn from sentences with a code, in equal shares by code, so that rare
        codes are judged too; the sheet does not show which. Such a sheet is right for agreement per label, not for how
        frequent a label is.
    among
        Only sentences of this table (doc_id, sentence) are drawn, as :func:`analysis.text.doubts` gives them. Such a sheet
        is for putting codes right, not for agreement: it holds the hardest sentences only.

    Returns
    -------
    pandas.DataFrame
        编号 (doc_id:sentence), 上一句, 句子, 下一句, then one empty column a code: 1 where it applies.

    Raises
    ------
    MethodError
        There is no sentence to draw, or none of ``among``.
    RequestError
        ``n`` is less than one.
    """
    import pandas as pd

    book = codebook if isinstance(codebook, Codebook) else Codebook.load(codebook)
    if n < 1:
        raise RequestError("至少要抽一句", value=n)
    if sentences.empty:
        raise MethodError("没有可抽的句子", hint="请检查语料的正文")
    table = sentences.reset_index(drop=True)
    unit = table["doc_id"].astype(str) + ":" + table["sentence"].astype(str)
    rng = np.random.default_rng(seed)
    open_ = np.ones(len(table), bool)
    if among is not None:
        open_ = unit.isin(set(among["doc_id"].astype(str) + ":" + among["sentence"].astype(str))).to_numpy()
        if not open_.any():
            raise MethodError("没有存疑的句子可抽", value=among.attrs.get("note"), hint="请不用 among 抽取")
    chosen: list[int] = []
    if codes is not None and len(codes):
        coded = codes["doc_id"].astype(str) + ":" + codes["sentence"].astype(str)
        share = max(1, n // 2 // codes["code"].nunique())
        for _, keys in sorted(coded.groupby(codes["code"])):
            places = np.flatnonzero(unit.isin(set(keys)) & open_ & ~unit.index.isin(chosen))
            chosen.extend(rng.choice(places, min(share, len(places)), replace=False).tolist())
    rest = np.setdiff1d(np.flatnonzero(open_), chosen)
    chosen.extend(rng.choice(rest, min(n - len(chosen), len(rest)), replace=False).tolist())
    order = rng.permutation(np.array(chosen[:n]))
    same_before = table["doc_id"].eq(table["doc_id"].shift())
    same_after = table["doc_id"].eq(table["doc_id"].shift(-1))
    sheet = pd.DataFrame(
        {
            _UNIT: unit,
            _BEFORE: table["text"].shift().where(same_before, ""),
            _TEXT: table["text"],
            _AFTER: table["text"].shift(-1).where(same_after, ""),
        }
    ).iloc[order]
    for entry in book.codes:
        sheet[entry.code] = ""
    return sheet.reset_index(drop=True)


def write(sheet: pd.DataFrame, path: str | Path) -> Path:
    """Save a sheet as .xlsx or .csv (UTF-8 with a mark, so that spreadsheets read the Chinese)."""
    file = Path(path)
    if file.suffix in (".xlsx", ".csv"):
        file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".xlsx":
        _workbook(sheet).save(file)
    elif file.suffix == ".csv":
        texts = {name: sheet[name].map(harmless) for name in (_BEFORE, _TEXT, _AFTER)}
        sheet.assign(**texts).to_csv(file, index=False, encoding="utf-8-sig")
    else:
        raise InputError("编码表只能存为 .xlsx 或 .csv", file=file)
    return file


def _workbook(sheet: pd.DataFrame) -> Any:
    """The sheet as a coder fills it in: text as text and folded, the head in sight, room for the codes."""
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    page = book.active
    for column, title in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(column)].width = (
            40 if title in (_BEFORE, _TEXT, _AFTER) else 12
        )
        page.cell(1, column, str(title)).font = Font(bold=True)
        for row, value in enumerate(sheet.iloc[:, column - 1], start=2):
            cell = page.cell(row, column, None if pd.isna(value) or value == "" else value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(value, str) and value:
                cell.data_type = "s"  # a sentence that begins with = is no formula
    for row, texts in enumerate(sheet.filter([_BEFORE, _TEXT, _AFTER]).astype(str).to_numpy(), start=2):
        lines = 1 + max(len(text) for text in texts) // 19  # Chinese characters a line of the width above
        page.row_dimensions[row].height = min(409, 15 * lines)  # points; Excel takes no row higher
    page.freeze_panes = "A2"
    return book


def read(
    path: str | Path, codebook: Codebook | str | Path = "five_part", coder: str | None = None
) -> pd.DataFrame:
    """A filled sheet as codes.

    Parameters
    ----------
    coder
        Name of who filled it; default the file's name. Roles, not persons' names, are enough.

    Returns
    -------
    pandas.DataFrame
        unit, doc_id, sentence, text, coder, labels (list): one row a sentence, also those without any label.

    Raises
    ------
    InputError
        The file is no such table, a column of the codebook is absent, a unit occurs twice or has no such form, or a cell holds neither a mark nor
        nothing; the message names file, row and value.
    """
    import pandas as pd

    book = codebook if isinstance(codebook, Codebook) else Codebook.load(codebook)
    file = Path(path)
    sheet = _table(file)
    names = [entry.code for entry in book.codes]
    absent = [name for name in (_UNIT, _TEXT, *names) if name not in sheet]
    if absent:
        raise InputError(
            "编码表缺少列", file=file, value="、".join(absent), hint="请用 draw 生成的表，不要改列名"
        )
    rows = []
    seen: set[str] = set()
    for number, record in enumerate(sheet.to_dict("records"), 1):
        unit = str(record[_UNIT])
        doc_id, colon, sentence = unit.rpartition(":")
        if not colon or not sentence.isdigit() or unit in seen:
            raise InputError("编号重复或不成形", file=file, row=number, value=unit, hint="请保留原来的编号")
        seen.add(unit)
        marks = {name: "" if record[name] is None else str(record[name]).strip() for name in names}
        for name, mark in marks.items():
            if mark not in YES and mark not in NO:
                raise InputError(
                    f"“{name}”一栏的填法不认识",
                    file=file,
                    row=number,
                    value=mark,
                    hint="适用填 1，不适用留空",
                )
        labels = [name for name, mark in marks.items() if mark in YES]
        rows.append((unit, doc_id, int(sentence), record[_TEXT], coder or file.stem, labels))
    return pd.DataFrame(rows, columns=["unit", "doc_id", "sentence", "text", "coder", "labels"])


def _table(file: Path) -> pd.DataFrame:
    """A sheet as saved by a person: a workbook, or CSV in UTF-8 or in the GBK that spreadsheets write."""
    import pandas as pd

    if not file.is_file():
        raise InputError("找不到编码表", file=file)
    try:
        if file.suffix == ".xlsx":
            return pd.read_excel(file, dtype=str)
        try:
            return pd.read_csv(file, dtype=str, encoding="utf-8-sig").map(restored)
        except UnicodeDecodeError:
            return pd.read_csv(file, dtype=str, encoding="gb18030").map(restored)
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise InputError(
            "编码表读不出来", file=file, hint="请存为 .xlsx，或 UTF-8、GBK 编码的 .csv"
        ) from error


def as_coder(codes: pd.DataFrame, sentences: pd.DataFrame, coder: str = "rule") -> pd.DataFrame:
    """Codes by rule in the form of a coder's: one row a sentence with its labels, to hold against people's."""
    from .coding import labels

    every = labels(codes, sentences)
    unit = every["doc_id"].astype(str) + ":" + every["sentence"].astype(str)
    return every.assign(unit=unit, coder=coder)[["unit", "doc_id", "sentence", "text", "coder", "labels"]]


def override(codes: pd.DataFrame, human: pd.DataFrame, sentences: pd.DataFrame) -> pd.DataFrame:
    """Codes by rule with people's in their place, wherever a person coded the sentence.

    Parameters
    ----------
    codes
        Of :func:`analysis.text.code`.
    human
        Of :func:`read`; where several coders saw a sentence, the label stands that more than half of them gave.
    sentences
        The sentences coded, for the places of codes that people add.

    Returns
    -------
    pandas.DataFrame
        As ``codes``; coder tells whose each is. ``attrs["overrides"]``: sentences (coded by people), confirmed, removed and
        added (codes), share_confirmed (of the rules' codes that people saw; ``None`` when they saw none).
    """
    import pandas as pd

    frame = str(codes.attrs.get("codebook") or (codes["frame"].iloc[0] if len(codes) else ""))
    spans = {
        (str(doc_id), int(number)): (int(start), int(end))
        for doc_id, number, start, end in zip(
            *(sentences[column] for column in ("doc_id", "sentence", "start", "end")), strict=True
        )
    }
    wanted: dict[tuple[str, int], tuple[set[str], str, str]] = {}
    for unit, group in human.groupby("unit", sort=False):
        doc_id, sentence = str(group["doc_id"].iloc[0]), int(group["sentence"].iloc[0])
        given = [set(each) for each in group["labels"]]
        agreed = {
            label for label in set().union(*given) if sum(label in each for each in given) * 2 > len(given)
        }
        if (doc_id, sentence) not in spans:
            raise InputError("人工编码的句子不在语料中", value=str(unit), hint="请用同一语料生成的编码表")
        wanted[doc_id, sentence] = (
            agreed,
            "+".join(sorted(set(group["coder"]))),
            group["text"].iloc[0],
        )
    keep: list[bool] = []
    coders: list[str] = []
    had: set[tuple[str, int, str]] = set()
    for doc_id, sentence, label, coder in zip(
        *(codes[column] for column in ("doc_id", "sentence", "code", "coder")), strict=True
    ):
        key = (str(doc_id), int(sentence))
        judged = wanted.get(key)
        keep.append(judged is None or label in judged[0])
        coders.append(coder if judged is None else judged[1])
        if judged is not None:
            had.add((*key, label))
    kept = codes.assign(coder=coders)[keep]
    confirmed = {each for each in had if each[2] in wanted[each[0], each[1]][0]}
    added = [
        {
            "doc_id": doc_id,
            "sentence": sentence,
            "start": spans[doc_id, sentence][0],
            "end": spans[doc_id, sentence][1],
            "text": text,
            "frame": frame,
            "code": label,
            "rule": "",
            "coder": who,
            "confidence": 1.0,
            "evidence": [],
        }
        for (doc_id, sentence), (labels, who, text) in wanted.items()
        for label in sorted(labels)
        if (doc_id, sentence, label) not in had
    ]
    more = [pd.DataFrame(added, columns=list(CODES))] if added else []
    result = pd.concat([kept, *more], ignore_index=True)
    result.attrs = dict(codes.attrs)
    result.attrs["overrides"] = {
        "sentences": len(wanted),
        "confirmed": len(confirmed),
        "removed": len(had) - len(confirmed),
        "added": len(added),
        "share_confirmed": len(confirmed) / len(had) if had else None,
    }
    return result
