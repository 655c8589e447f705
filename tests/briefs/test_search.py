"""A site searched as a reader would: every small count, worked out from the rows, is looked for where it would stand."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lxml import html

from analysis import regions
from analysis.cases import registry
from analysis.cases.indicators import VIEWS
from analysis.cases.release import about

pytestmark = pytest.mark.slow

PERIOD, PROVINCE = "2024-03", "990000"
COUNTIES = ("990102", "990103", "990104", "990202", "990203")
PLACES = (PROVINCE, "990100", *COUNTIES[:2])
MONTH = pd.Period(PERIOD, "M")
MARKS = {"", "—", None}
KEYS = {"petitions": "piece_id", "matters": "matter_id"}
Cells = dict[str, list[str | None]]
"""First cell of a row → the others."""


@pytest.fixture(scope="module")
def data(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of a few counties."""
    folder = tmp_path_factory.mktemp("cases")
    own: set[str] = set()
    for file in sorted((sample / "cases").iterdir(), key=lambda file: file.stem != "matters"):
        if file.suffix != ".parquet" or file.stem in ("population", "pilots", "monthly"):
            (folder / file.name).write_bytes(file.read_bytes())
            continue
        frame = pd.read_parquet(file)
        if "locality_code" in frame:
            frame = frame[frame["locality_code"].isin(COUNTIES)]
        elif "matter_id" in frame:
            frame = frame[frame["matter_id"].isin(own)]
        if file.stem == "matters":
            own = set(frame["matter_id"])
        if file.stem in KEYS:  # what the sample was given to be found wrong is no matter here
            frame = frame.drop_duplicates(KEYS[file.stem])
            frame = frame[frame["topic_1"].notna() & (frame["registered_at"] < "2025-01-01")].iloc[::2]
        frame.to_parquet(folder / file.name, index=False)
    return folder


@pytest.fixture(scope="module")
def site(root: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Place → the folder of its monthly brief."""
    out = tmp_path_factory.mktemp("site")
    texts = tmp_path_factory.mktemp("texts")
    (texts / "通知.txt").write_text(
        "关于做好登记工作的通知\n\n2024年3月5日\n\n各单位应当如实登记。\n", encoding="utf-8"
    )
    asked = [word for place in PLACES for word in ("--region", place)]
    program = [
        sys.executable,
        "-c",
        "from analysis.cli import main; main()",
        "build",
        "monthly",
        "--period",
        PERIOD,
    ]
    # Under pytest's variable a kernel does not catch what its child processes print.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*program, *asked, "--cases", str(data), "--corpus", str(texts), "--project", str(root), "--site", str(out), "--workers", "1"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {place: out / "monthly" / place / PERIOD for place in PLACES}


@pytest.fixture(scope="module")
def pieces(data: Path) -> pd.DataFrame:
    frame = pd.read_parquet(data / "petitions.parquet")
    frame = frame[frame["system"] == "信访"]
    return frame.assign(month=frame["registered_at"].dt.to_period("M"))


@dataclass(frozen=True)
class Expected:
    """Counts of one published table: the row's head and the true count that would stand in its first column."""

    table: str
    counts: Mapping[str, int]

    @property
    def small(self) -> dict[str, int]:
        return {key: n for key, n in self.counts.items() if 0 < n <= 4}


def expected(pieces: pd.DataFrame, place: str) -> Iterator[Expected]:
    """What the tables of a place would say without disclosure control."""
    inside = pieces[pieces["locality_code"].str.startswith(place.rstrip("0") if place != PROVINCE else "99")]
    now = inside[inside["month"] == MONTH]
    for table, column in (("channels", "channel"), ("first-or-repeat", "first_or_repeat")):
        yield Expected(table, now[column].value_counts().to_dict())
    year = inside[(inside["month"] <= MONTH) & (inside["month"] > MONTH - 12)] if place != PROVINCE else now
    yield Expected("topics", year["topic_1"].value_counts().to_dict())
    visits = now["place_of_visit"].value_counts()
    order = {
        "越级走访": now["over_level"].sum(),
        "集体访": now["group_visit"].sum(),
        "走访去向": visits.sum(),
    }
    yield Expected(
        "order",
        {**{name: int(n) for name, n in order.items()}, **{f"　{k}": int(n) for k, n in visits.items()}},
    )
    if place in COUNTIES:
        city = pieces[pieces["locality_code"].str.startswith(place[:4]) & (pieces["month"] == MONTH)]
        names = {code: regions.load().get(code).name for code in COUNTIES}
        yield Expected("places", city["locality_code"].map(names).value_counts().to_dict())


# ---- a table in every form in which it is published --------------------------------------------------------------------


def by_head(rows: list[list[str | None]]) -> Cells:
    return {str(row[0]): list(row[1:]) for row in rows if row and row[0] is not None}


def in_csv(folder: Path, name: str) -> Cells:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return by_head(list(csv.reader(stream)))


def in_html(folder: Path, name: str) -> Cells:
    page = html.fromstring((folder / "index.html").read_bytes())
    (figure,) = page.xpath(f"//figure[@id='t-{name}']")
    return by_head(
        [[cell.text_content() for cell in row.xpath("./td|./th")] for row in figure.xpath(".//tr")]
    )


def in_excel(folder: Path, name: str) -> Cells:
    import openpyxl

    book = openpyxl.load_workbook(folder / "tables.xlsx")
    caption = part_of(folder, name)["caption"]
    (sheet,) = [sheet for sheet in book.worksheets if caption.startswith(sheet.title.split(" ", 1)[1])]
    return by_head([list(row) for row in sheet.iter_rows(values_only=True)])


def part_of(folder: Path, name: str) -> dict[str, Any]:
    outputs = (
        out
        for cell in json.loads((folder / "notebook.ipynb").read_text())["cells"]
        for out in cell.get("outputs", [])
    )
    parts = (out.get("data", {}).get("application/vnd.policy-brief.table+json") for out in outputs)
    (part,) = [part for part in parts if part is not None and part["name"] == name]
    return part


def in_notebook(folder: Path, name: str) -> Cells:
    return by_head(part_of(folder, name)["rows"])


def in_word(folder: Path, name: str) -> Cells:
    import docx

    plain = in_csv(folder, name)
    heads = [[head, *cells] if not k else [head] for k, (head, cells) in enumerate(plain.items())]
    tables = [
        [[cell.text for cell in row.cells] for row in table.rows]
        for table in docx.Document(str(folder / "brief.docx")).tables
    ]
    # By its column heads and the heads of its rows.
    (found,) = [
        rows for rows in tables
        if len(rows) == len(heads)
        and all([cell.strip() for cell in row[: len(head)]] == [str(one).strip() for one in head]
                for row, head in zip(rows, heads, strict=True))
    ]  # fmt: skip
    return by_head([[head, *row[1:]] for head, row in zip(plain, found, strict=True)])


FORMS = {"csv": in_csv, "html": in_html, "xlsx": in_excel, "ipynb": in_notebook, "docx": in_word}


def first_number(cells: list[str | None], table: str) -> object:
    """What stands where the count would: in 维护秩序 a column of units comes first."""
    return cells[1] if table == "order" else cells[0]


@pytest.mark.parametrize("form", FORMS)
def test_no_small_count_stands_in_any_form_of_any_table(site, pieces, form):
    searched = 0
    for place, folder in site.items():
        for want in expected(pieces, place):
            found = FORMS[form](folder, want.table)
            plain = FORMS["csv"](folder, want.table)
            for key, n in want.counts.items():
                if key not in found and want.table == "topics":
                    continue  # a table of the largest
                cell = first_number(found[key], want.table)
                if key in want.small:
                    searched += 1
                    numbers = [
                        one for one in found[key][1 if want.table == "order" else 0 :] if one not in MARKS
                    ]
                    # The rest of the row says why, or what is known of other months, and nothing of this one.
                    assert cell in MARKS, (place, want.table, key)
                    assert not {str(n), f"{n}.0", n} & set(numbers[:1]), (place, want.table, key, numbers)
                elif cell not in MARKS:
                    assert float(str(cell).replace(",", "")) == n, (place, want.table, key)
                assert (cell in MARKS) == (first_number(plain[key], want.table) in MARKS), (
                    place,
                    want.table,
                    key,
                )
    assert searched > 10


def test_results_hold_no_small_count_of_people_and_the_manifest_says_what_was_audited(site):
    """Counts of what an office itself did (督办) are shown whatever they are."""
    searched = 0
    for place, folder in site.items():
        for item in json.loads((folder / "results.json").read_text())["results"]:
            one = registry.indicators().get(str(item["definition"]).split(".")[0])
            if one is None or one.kind == "topics" or about(one) == "office" or item["value"] is None:
                continue
            if not {*item["name"].split("·")[1:]} <= {
                *VIEWS
            }:  # what else is made of it counts places or months
                continue
            searched += 1
            counts = [item["n"], item["value"] if one.unit in ("件", "批", "人次", "项") else None]
            assert not [n for n in counts if n is not None and 0 < n <= 4], (place, item)
        certificate = json.loads((folder / "manifest.json").read_text())["reproducible"]["disclosure"][0]
        assert certificate["passed"]
        assert certificate["audited"] == certificate["primary"] > 0
    assert searched > 20


def test_the_text_of_the_pdf_holds_no_small_count(site, pieces):
    import pypdfium2

    searched = 0
    for place, folder in site.items():
        document = pypdfium2.PdfDocument(folder / "brief.pdf")
        text = "\n".join(page.get_textpage().get_text_range() for page in document)
        for want in expected(pieces, place):
            if want.table not in ("channels", "first-or-repeat", "places"):
                continue  # rows of one line
            for key in want.small:
                lines = [line for line in re.split(r"[\r\n]+", text) if line.startswith(key)]
                for line in lines:
                    searched += 1
                    assert re.fullmatch(r"\s*(?:[—–-]|$).*", line[len(key) :]), (place, want.table, line)
    assert searched > 3


def test_shown_cells_agree_with_the_rows_and_hidden_ones_are_few_enough(site, pieces):
    """Not everything is hidden: the search would find nothing in an empty site."""
    shown = total = 0
    for place, folder in site.items():
        for want in expected(pieces, place):
            found = in_csv(folder, want.table)
            cells = [first_number(found[key], want.table) for key in want.counts if key in found]
            shown, total = shown + sum(cell not in MARKS for cell in cells), total + len(cells)
    assert shown > total / 2
