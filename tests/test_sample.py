"""The sample's documents: fictional places only, readable, and what PLANTED.md says is wrong is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis import regions


def _documents(root: Path) -> list[Path]:
    """The files but what says that they are simulated."""
    return sorted(p for p in (root / "data/sample/documents").iterdir() if p.name != "metadata.json")


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, str]:
    """Every document's text by the three digits of its name."""
    return {path.name[:3]: _text(path) for path in _documents(root)}


def _text(path: Path) -> str:
    if path.suffix == ".docx":
        from docx import Document

        document = Document(str(path))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    if path.name.startswith("024"):
        return path.read_bytes().decode("gb18030")
    return path.read_text(encoding="utf-8")


def _number(pattern: str, text: str) -> float:
    found = re.findall(pattern, text)
    assert len(set(found)) == 1, (pattern, found)
    return float(found[0])


class TestRegions:
    def test_a_province_eleven_cities_ninety_counties(self) -> None:
        table = regions.load()
        assert table.get("990000").name == "示例省"
        assert len(table.children("990000")) == 11
        assert len(table.counties("990000")) == 90

    def test_no_fictional_name_is_real(self) -> None:
        """Neither the full name nor the name without 市, 县, 区, over all years of the code table."""
        rows = regions.load().rows
        real = {region.name for region in rows if not region.fictional}
        stems = {_stem(name) for name in real}
        assert len(real) > 3000
        for region in rows:
            if region.fictional:
                assert region.name not in real
                assert _stem(region.name) not in stems

    def test_no_two_places_share_a_name(self) -> None:
        stems = [_stem(region.name) for region in regions.load().rows if region.fictional]
        assert len(set(stems)) == len(stems)


def _stem(name: str) -> str:
    return re.sub(r"(自治县|自治州|自治旗|地区|林区|特区|新区|省|市|县|区|旗|盟)$", "", name)


class TestDocuments:
    def test_there_are_enough_of_every_form(self, root: Path, texts: dict[str, str]) -> None:
        suffixes = pd.Series([path.suffix for path in _documents(root)]).value_counts()
        assert len(texts) == suffixes.sum() >= 30
        assert suffixes[".html"] >= 2
        assert suffixes[".docx"] >= 1
        assert suffixes[".md"] >= 1

    def test_every_document_can_be_read(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 250, name
            assert "\ufffd" not in text

    def test_one_is_gb18030_and_nothing_else(self, root: Path) -> None:
        (path,) = (root / "data/sample/documents").glob("024*")
        with pytest.raises(UnicodeDecodeError):
            path.read_text(encoding="utf-8")

    def test_no_real_city_or_county_is_named(self, texts: dict[str, str]) -> None:
        rows = regions.load().rows
        real = {region.name for region in rows if not region.fictional and len(region.name) > 2}
        fictional = {region.name for region in rows if region.fictional}
        for name, text in texts.items():
            # A fictional name may hold a real one across its border (…霁宁|市…), so take these out first.
            for place in sorted(fictional, key=len, reverse=True):
                text = text.replace(place, "□")
            assert not {place for place in real if place in text}, name

    def test_the_traditional_one_has_pinyin_notes(self, texts: dict[str, str]) -> None:
        assert len(re.findall(r"[\u4e00-\u9fff]\([a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü]+\)", texts["012"])) > 50
        assert "會" in texts["012"]

    def test_phrases_appear_in_the_order_stated(self, texts: dict[str, str]) -> None:
        uses = {
            phrase: {n for n, t in texts.items() if phrase in t}
            for phrase in ("四清工作法", "三调联动", "双规范")
        }
        assert {"018", "005", "004", "007", "045", "008", "044"} <= uses["四清工作法"]
        assert {"019", "006", "008", "009", "041", "013"} <= uses["三调联动"]
        assert {"010", "008", "009", "041", "013"} <= uses["双规范"]
        assert not {"001", "002", "003", "016", "042", "043"} & set().union(*uses.values())

    def test_counties_copied_from_the_province(self, texts: dict[str, str]) -> None:
        def sentences(key: str) -> set[str]:
            return {
                s for s in re.split(r"[。\n]|<[^>]+>|^\d+．", texts[key], flags=re.M) if s and len(s) > 20
            }

        assert len(sentences("004") & sentences("007")) >= 3
        assert len(sentences("005") & sentences("004")) >= 3
        assert len(sentences("008") & sentences("009")) >= 4
        assert len(sentences("008") & sentences("044")) >= 4

    def test_nothing_is_copied_from_the_real_texts(self, texts: dict[str, str], shared: Path) -> None:
        """No run of 20 characters in common, apart from punctuation: titles and set terms are shorter."""

        def runs(text: str) -> set[str]:
            plain = re.sub(r"[^\u4e00-\u9fff0-9]", "", text)
            return {plain[i : i + 20] for i in range(len(plain) - 19)}

        ours = set().union(*(runs(text) for text in texts.values()))
        real = [
            p
            for folder in ("seeds", "bulletins/text", "corpus/regulations", "corpus/work_reports")
            for p in (shared / folder).iterdir()
        ]
        assert len(real) > 30
        for path in real:
            assert not ours & runs(path.read_text(encoding="utf-8")), path.name

    def test_personal_data_is_made_up_and_only_where_stated(self, texts: dict[str, str]) -> None:
        with_phone = {name for name, text in texts.items() if re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", text)}
        with_identity = {
            name for name, text in texts.items() if re.search(r"(?<!\d)\d{17}[\dXx](?!\d)", text)
        }
        assert with_phone == with_identity == {"020"}
        assert re.findall(r"(?<!\d)1[3-9]\d{9}(?!\d)", texts["020"]) == ["13900000000"]


class TestArticles:
    """``articles.csv``: what the author of the documents says they are."""

    @pytest.fixture(scope="class")
    @classmethod
    def articles(cls, root: Path) -> pd.DataFrame:
        return pd.read_csv(root / "data/sample/articles.csv", comment="#", dtype=str)

    def test_every_document_is_listed(self, articles: pd.DataFrame, root: Path) -> None:
        assert set(articles["source"]) == {path.name for path in _documents(root)}
        assert not articles.duplicated(["source", "position"]).any()
        assert {
            "会议报道",
            "工作部署",
            "专访",
            "评论",
            "论文",
            "经验案例",
            "图片新闻",
            "法规",
            "规范性文件",
            "通报",
        } <= set(articles["genre"])
        assert set(articles["level"]) == {"省", "市", "县", "乡"}
        table = regions.load()
        assert all(table.get(row.region_code).name == row.region for row in articles.itertuples())

    def test_the_reader_finds_them(self, articles: pd.DataFrame, root: Path) -> None:
        """A floor, so that a change of the reader that loses the sample is noticed."""
        from analysis import corpus

        read = corpus.read(root / "data/sample/documents").documents.astype({"position": str})
        both = articles.merge(read, on=["source", "position"], how="left", suffixes=("", "_read"))
        assert both["body"].notna().mean() > 0.9
        assert (both["region_code"] == both["region_code_read"]).mean() > 0.75
        assert (both["level"] == both["level_read"]).mean() > 0.8


HOTLINES = ["023", "024", "025", "026", "027", "028", "029"]
KINDS = ("咨询", "求助", "投诉", "建议", "举报", "其他")


class TestHotline:
    @pytest.fixture(scope="class")
    @classmethod
    def months(cls, texts: dict[str, str]) -> pd.DataFrame:
        rows = []
        for name in HOTLINES:
            text = re.sub(r"</?t[dhr]>", "|", texts[name])
            row = {
                "total": _number(r"共受理各类诉求(\d+)件", text),
                "phone": _number(r"电话受理(\d+)件", text),
                "net": _number(r"网络渠道受理(\d+)件", text),
                "direct": _number(r"直接答复(\d+)件", text),
                "sent": _number(r"派发工单(\d+)件", text),
                "done": _number(r"截至月底办结(\d+)件", text),
                "open": _number(r"正在办理(\d+)件", text),
                "late": _number(r"超期(\d+)件", text),
                "on_time": _number(r"按期办结率([\d.]+)%", text),
                "before": _number(r"上月为(\d+)件", text) if name != "023" else None,
                "change": _number(r"环比(?:上升|下降)([\d.]+)%", text.split("其中")[0])
                if name != "023"
                else None,
            }
            for kind in KINDS:
                count, share = re.search(rf"{kind}类\|*(\d+)(?:件，占|\|+)([\d.]+)%", text).groups()
                row[kind], row[f"{kind}占比"] = float(count), float(share)
            rows.append(row)
        return pd.DataFrame(rows, index=HOTLINES)

    def test_totals(self, months: pd.DataFrame) -> None:
        assert (months["phone"] + months["net"] == months["total"]).all()
        assert (months["direct"] + months["sent"] == months["total"]).all()
        assert (months["done"] + months["open"] == months["sent"]).all()
        assert ((months["done"] - months["late"]) / months["done"] * 100).round(2).tolist() == months[
            "on_time"
        ].tolist()

    def test_kinds_add_up_but_for_the_planted_month(self, months: pd.DataFrame) -> None:
        gap = months[list(KINDS)].sum(axis=1) - months["total"]
        assert gap[gap != 0].to_dict() == {"025": 6183 - 6813}

    def test_shares_hold_but_for_the_planted_ones(self, months: pd.DataFrame) -> None:
        wrong = {
            (name, kind)
            for name, row in months.iterrows()
            for kind in KINDS
            if abs(row[kind] / row["total"] * 100 - row[f"{kind}占比"]) > 0.0051
        }
        assert wrong == {("025", "求助"), ("028", "投诉")}
        assert months.loc["028", "投诉占比"] == 25.93

    def test_the_month_before_is_quoted_rightly_but_once(self, months: pd.DataFrame) -> None:
        quoted, before = months["before"].iloc[1:], months["total"].shift().iloc[1:]
        assert quoted[quoted != before].to_dict() == {"027": 34604}
        change = ((months["total"] / months["total"].shift() - 1).abs() * 100).round(2)
        assert change.iloc[1:].tolist() == months["change"].iloc[1:].tolist()


class TestOthersPlanted:
    def test_parts_of_a_total(self, texts: dict[str, str]) -> None:
        for name in ("030", "031", "032", "033"):
            total = _number(r"登记信访件(\d+)件", texts[name])
            parts = _number(r"初件(\d+)件", texts[name]) + _number(r"重件(\d+)件，重件占", texts[name])
            assert parts - total == (20 if name == "032" else 0)

    def test_a_rate_beside_its_counts(self, texts: dict[str, str]) -> None:
        for name in ("030", "031", "032", "033"):
            due, met, rate = re.search(
                r"事项(\d+)件，按期办结(\d+)件，按期办结率([\d.]+)%", texts[name]
            ).groups()
            holds = f"{int(met) / int(due) * 100:.1f}" == rate
            assert holds == (name != "033")

    def test_a_row_of_a_table(self, texts: dict[str, str]) -> None:
        rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr><td>.*?</tr>", texts["034"])]
        wrong = [row[0] for row in rows if int(row[1]) != int(row[2]) + int(row[3])]
        assert wrong == ["汐丰市"]
        for column in (1, 2):
            assert sum(int(row[column]) for row in rows[:-1]) == int(rows[-1][column])

    def test_circulars_agree_with_the_simulated_cases(self, texts: dict[str, str], root: Path) -> None:
        pieces = pd.read_parquet(root / "data/sample/cases/petitions.parquet").drop_duplicates("piece_id")
        pieces = pieces[(pieces["system"] == "信访") & pieces["counted"]]
        month = pieces["registered_at"].dt.strftime("%Y-%m")
        for name, code, when in [
            ("030", "9902", "2024-03"),
            ("031", "9902", "2024-04"),
            ("032", "9902", "2024-05"),
            ("033", "9902", "2024-06"),
            ("043", "9904", "2022-08"),
        ]:
            here = pieces["locality_code"].str.startswith(code) & (month == when)
            assert _number(r"登记信访件(\d+)件", texts[name]) == here.sum()
        assert _number(r"登记信访件(\d+)件", texts["036"]) == (month.str[:4] == "2023").sum()

    def test_the_list_names_every_planted_file(self, root: Path) -> None:
        listed = (root / "data/sample/PLANTED.md").read_text(encoding="utf-8")
        names = {path.name for path in _documents(root)}
        planted = set(re.findall(r"^\| (\d{3}_\S+) \|", listed, flags=re.M))
        assert {name[:3] for name in planted} == {"025", "027", "028", "032", "033", "034"}
        assert planted <= names

    def test_what_the_list_quotes_stands_in_the_file(self, root: Path, texts: dict[str, str]) -> None:
        listed = (root / "data/sample/PLANTED.md").read_text(encoding="utf-8")
        for name, quoted in re.findall(
            r"^\| (\d{3})_\S+ \| [^|]*?([\d.]+)(?:件|封|%) \|", listed, flags=re.M
        ):
            assert quoted in texts[name], (name, quoted)
