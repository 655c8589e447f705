"""Genre (体裁): points for the forms that a genre is known by, all of them data in genres.yml."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

from .. import codebooks
from .split import Article

_ARTICLES = re.compile(r"(?m)^第[一二三四五六七八九十百零〇\d]{1,8}条")


class _Rule(NamedTuple):
    genre: str
    score: int
    where: str | None
    pattern: re.Pattern[str] | None
    per: float
    form: str | None


def genre(article: Article, number: str | None = None) -> str:
    """The genre of an article; 其他 where no genre reaches the least score."""
    rules, least, fallback = _book()
    fields = _fields(article)
    forms = _forms(article, number)
    points: dict[str, int] = {}
    for rule in rules:
        if rule.form:
            hit = rule.form in forms
        else:
            assert rule.pattern is not None
            text = fields[rule.where or "body"]
            hit = (
                len(rule.pattern.findall(text)) >= rule.per * max(len(text), 200) / 1000
                if rule.per
                else rule.pattern.search(text) is not None
            )
        if hit:
            points[rule.genre] = points.get(rule.genre, 0) + rule.score
    best = max(points, key=lambda name: points[name], default=fallback)
    return best if points.get(best, 0) >= least else fallback


def _fields(article: Article) -> dict[str, str]:
    body = article.body.value
    return {
        "title": "\n".join(filter(None, (article.kicker, article.title, article.subtitle))),
        "head": " ".join(filter(None, (article.byline, article.subtitle, *article.meta, *article.header))),
        "lead": body[:220],
        "body": body[:12000],
        "tail": body[-200:],
    }


def _forms(article: Article, number: str | None) -> set[str]:
    """Forms that take more than a pattern to see."""
    body = article.body.value
    patterns = _patterns()
    forms = set()
    if article.photo:
        forms.add("photo")
    articles = _ARTICLES.findall(body)
    if len(articles) >= 5 or (len(articles) >= 3 and articles[0] == "第一条"):
        forms.add("articles")
    if number and not re.search(r"[令告]第", number):
        forms.add("number")
    if patterns["abstract"].search(body[:1500]):
        forms.add("abstract")
    speakers = [
        match["speaker"].rstrip("：: ")
        for line in body.split("\n")
        if (match := patterns["turn"].match(line))
    ]
    if len(speakers) >= 4 and len(set(speakers)) < len(speakers):
        forms.add("turns")
    if patterns["addressee"].match(body.split("\n", 1)[0]):
        forms.add("addressee")
    if re.search(r"记者|通讯员", article.byline or "") or body.startswith("本报讯"):
        forms.add("reporter")
    return forms


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    layout = codebooks.load("layout")
    return {
        "turn": re.compile(layout["turn"]),
        "abstract": re.compile("(?m)^" + layout["front_matter"]),
        "addressee": re.compile(rf"(?:{layout['addressee']})$"),
    }


@functools.cache
def _book() -> tuple[list[_Rule], int, str]:
    book: dict[str, Any] = codebooks.load("genres")
    rules = [
        _Rule(
            name,
            entry["score"],
            entry.get("where"),
            re.compile(entry["pattern"], re.MULTILINE) if "pattern" in entry else None,
            entry.get("per", 0),
            entry.get("form"),
        )
        for name, entries in book["genres"].items()
        for entry in entries
    ]
    return rules, book["least"], book["fallback"]
