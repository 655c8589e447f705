from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

ATOM = "{http://www.w3.org/2005/Atom}"


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_index_lists_newest_first_and_every_link_leads_somewhere(project: Any) -> None:
    project.build("counts", period=("2024-02", "2024-03"), region=("990102", "990202"))
    project.build("behaves", parameters={"how": "raise"})
    text = (project.site / "index.html").read_text()
    assert text.count("<tr") == 1 + 5
    assert text.index("2024-03/index.html") < text.index("2024-02/index.html")
    assert 'lang="zh-CN"' in text
    for link in Links(text).found:
        assert (project.site / link).is_file(), link
    assert 'data-status="raised"' in text
    assert 'data-code="990102"' in text
    assert "笔记本出错" in text


def test_a_briefs_own_page_names_all_its_files(project: Any) -> None:
    project.build("counts", region="990102")
    folder = project.folder("counts/990102/2024-03")
    links = Links((folder / "about.html").read_text()).found
    assert {"index.html", "notebook.ipynb", "results.json", "manifest.json", "tables/by_month.csv"} <= set(
        links
    )
    for link in links:
        assert (folder / link).is_file(), link


def test_the_feed_is_atom(project: Any) -> None:
    project.build("counts", region=("990102", "990202"))
    feed = ET.parse(project.site / "feed.xml").getroot()
    assert feed.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{name}") is not None
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 2
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 2
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert (project.site / str(link.get("href"))).is_file()


def test_pages_ask_no_other_host(project: Any) -> None:
    project.build("counts", region="990102")
    for page in (project.site / "index.html", project.folder("counts/990102/2024-03") / "about.html"):
        assert not [link for link in Links(page.read_text()).found if "//" in link]
