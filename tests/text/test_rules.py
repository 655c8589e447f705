"""The rule engine: every operator, on characters, with its evidence; unknown operators refused by their place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import CodebookError
from analysis.text.rules import Unit, View, heading_rank, parse, required


def view(*texts: str, shields: tuple[str, ...] = (), title: str | None = None, **more: object) -> View:
    units = [Unit(text, 0, len(text), paragraph=n // 2, **more) for n, text in enumerate(texts)]  # type: ignore[arg-type]
    return View(units, {"title": title, "genre": "法规"}, shields)


def found(rule: object, *texts: str, unit: int = 0, **more: object) -> list[str] | None:
    seen = view(*texts, **more)  # type: ignore[arg-type]
    compiled = parse(rule)
    spans = compiled.find(seen, unit)
    narrowed = compiled.candidates(seen)
    assert spans is None or narrowed is None or unit in narrowed, "candidates must not miss a unit that holds"
    return None if spans is None else [seen.text(unit)[a:b] for a, b in spans]


@pytest.mark.parametrize(
    ("rule", "text", "evidence"),
    [
        ("登记", "先登记，再登记", ["登记", "登记"]),
        ("登记", "来访", None),
        (["登记", "受理"], "先登记后受理", ["登记", "受理"]),
        ({"any": ["登记", "受理"]}, "只受理", ["受理"]),
        ({"all": ["登记", "受理"]}, "只受理", None),
        ({"all": ["登记", {"not": "不予"}]}, "应当登记", ["登记"]),
        ({"all": ["登记", {"not": "不予"}]}, "不予登记", None),
        (r"/\d+日内/", "应在15日内", ["15日内"]),
        ({"regex": r"\d+日"}, "15日", ["15日"]),
        ({"near": ["矛盾", "化解"], "within": 2}, "矛盾全部化解", ["矛盾", "化解"]),
        ({"near": ["矛盾", "化解"], "within": 1}, "矛盾全部化解", None),
        ({"near": ["化解", "矛盾"], "within": 2}, "矛盾全部化解", ["矛盾", "化解"]),
        ({"near": ["化解", "矛盾"], "within": 2, "ordered": True}, "矛盾全部化解", None),
        ({"near": ["矛盾", "化解"], "within": 5}, "有矛盾，可化解", None),
        ({"near": ["矛盾", "化解"], "within": 5, "across": True}, "有矛盾，可化解", ["矛盾", "化解"]),
        ({"near": ["甲", "乙", "丙"], "within": 1}, "甲一乙一丙", ["甲", "乙", "丙"]),
        ({"near": ["矛盾", "化解"], "within": 1}, "矛盾很多很多，矛盾已化解", ["矛盾", "化解"]),
        ({"clause": ["排查", "矛盾"]}, "排查各村的矛盾", ["排查", "矛盾"]),
        ({"clause": ["排查", "矛盾"]}, "排查隐患，化解矛盾", None),
    ],
)
def test_operators(rule: object, text: str, evidence: list[str] | None) -> None:
    assert found(rule, text) == evidence


@pytest.mark.parametrize(
    ("pattern", "units"),
    [("/甲[^丙]*乙/", [1]), ("/^乙/", [2]), ("/一$/", [0, 2]), ("/[^甲]二/", []), ("/一(?!二)/", [0, 1, 2])],
)
def test_regular_expressions_see_each_unit_alone(pattern: str, units: list[int]) -> None:
    """Also where a match over the whole text would run from one unit into the next and hide another."""
    seen = view("甲一", "二甲一乙", "乙一")
    rule = parse(pattern)
    assert [n for n in range(3) if rule.find(seen, n) is not None] == units


def test_operators_in_one_mapping_must_all_hold() -> None:
    rule = {"near": ["矛盾", "化解"], "within": 4, "not": "若能"}
    assert found(rule, "矛盾已化解") == ["化解", "矛盾"] or found(rule, "矛盾已化解") == ["矛盾", "化解"]
    assert found(rule, "若能使矛盾化解") is None


def test_the_whole_clauses_of_a_hit() -> None:
    text = "做好接访，事关大局和民心；办好事，关乎信誉。"
    assert found({"whole": ["事关", "关乎"]}, text) == ["事关大局和民心", "关乎信誉"]
    assert found({"whole": {"clause": ["接访", "事关"]}}, text) is None
    assert found({"whole": {"not": "下访"}}, text) == []
    assert found({"whole": {"near": ["做好", "事关"], "across": True}}, text) == [
        "做好接访",
        "事关大局和民心",
    ]


def test_a_shield_hides_shorter_terms_but_not_itself() -> None:
    assert found("监督", "市场监督管理局参加", shields=("市场监督管理",)) is None
    assert found("监督", "市场监督管理局接受监督", shields=("市场监督管理",)) == ["监督"]
    assert found("市场监督管理", "市场监督管理局", shields=("市场监督管理",)) == ["市场监督管理"]


def test_headings_by_the_rank_of_their_numbers() -> None:
    units = [
        Unit("第五章 法律责任", 0, 8, heading=True),
        Unit("第一节 处分", 9, 15, heading=True),
        Unit("不按规定的，给予批评。", 16, 27),
        Unit("第六章 附则", 28, 34, heading=True),
        Unit("自公布之日起施行。", 35, 44),
    ]
    seen = View(units)
    assert seen.headings(2) == (1, 0)
    assert seen.headings(4) == (3,)
    rule = parse({"heading": "法律责任"})
    assert [rule.find(seen, n) is not None for n in range(5)] == [False, True, True, False, False]
    assert [
        heading_rank(t) for t in ("第一编", "第二章 x", "第三节", "一、x", "（二）x", "3.x", "小标题")
    ] == list(range(7))


def test_places_around_the_unit() -> None:
    texts = ("甲说登记", "乙说别的", "丙说别的")
    assert found({"previous": "登记"}, *texts, unit=1) == []
    assert found({"previous": "登记"}, *texts, unit=0) is None
    assert found({"next": "登记"}, *texts, unit=0) is None
    assert found({"next": "乙"}, *texts, unit=0) == []
    assert found({"paragraph": "登记"}, *texts, unit=1) == []
    assert found({"paragraph": "登记"}, *texts, unit=2) is None
    assert found({"document": "登记"}, *texts, unit=2) == []
    assert found({"title": "办法"}, *texts, unit=2, title="登记办法") == []
    assert found({"title": "登记"}, *texts, unit=2) is None


def test_the_sentence_that_introduces_a_list() -> None:
    texts = (
        "来访人不准有下列举动：",
        "（一）吵闹；",
        "（二）损坏桌椅。桌椅照价赔偿。",
        "（三）堵门。",
        "窗口照常开放；",
        "周末休息。",
        "干部犯错受罚：（一）怠慢；",
        "（二）丢失材料；",
        "不回信。",
        "完。",
    )
    seen = view(*texts)
    assert [seen.lead(n) for n in range(len(texts))] == [None, 0, 0, 0, None, None, None, 6, 6, None]
    rule = {"all": ["桌椅", {"lead": "不准"}]}
    assert found(rule, *texts, unit=2) == ["桌椅", "桌椅"]
    assert found({"lead": "不准"}, *texts, unit=7) is None
    assert found({"lead": "受罚"}, *texts, unit=7) == []
    assert found({"lead": "甲"}, "甲：", title="甲", unit=1) is None


def test_a_list_announced_without_a_colon() -> None:
    texts = [
        "有下列情形的，给予处分。",
        "（一）拖着不办；",
        "（三）丢了来信。",
        "（一）另一件。",
        "第九条 其他。",
        "1.5米。",
    ]
    seen = View([Unit(text, 0, len(text)) for text in texts])
    assert [seen.lead(n) for n in range(len(texts))] == [None, 0, 0, 0, None, None]
    # The first item without an announcement before it is led by nothing.
    seen = View([Unit(text, 0, len(text)) for text in ("给予处分。", "（一）拖着不办。", "（二）丢了来信。")])
    assert [seen.lead(n) for n in range(3)] == [None, None, None]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("约谈", [{"约谈"}]),
        ("(检察长|院长)约谈", [{"检察长", "院长"}, {"约谈"}]),
        ("(早|小)解决", [{"解决"}]),
        ("化解?了", []),
        ("化解了?", [{"化解"}]),
        ("关口[^，。]{0,3}前移", [{"关口"}, {"前移"}]),
        ("(?<!未)(发生|造成){1,2}[^，]{0,8}?访", [{"发生", "造成"}]),
        ("(上访)?(?=进京)去北京", [{"去北京"}]),
        ("(上访){,2}去|来访", []),
        (r"[\]）]了结案[a-c]\d+件", [{"了结案"}]),
        (r"甲乙|丙丁(?!戊己)|\d庚辛", [{"甲乙", "丙丁", "庚辛"}]),
        ("(?i)abc", []),
        (r"\x41bc", []),
    ],
)
def test_what_a_pattern_cannot_do_without(pattern: str, words: list[set[str]]) -> None:
    assert [set(each) for each in required(pattern)] == words


PIECES = [
    "甲乙",
    "(甲乙|丙丁)",
    "(甲乙)?",
    "甲?",
    "[甲丁]",
    "[^丙]{0,2}",
    "(?<!丙)",
    "(?=乙)",
    "(乙丙|丁)",
    "(?:丙丁){1,2}",
    "乙+?",
    "|",
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5), st.text("甲乙丙丁", max_size=12))
def test_every_match_has_what_its_pattern_cannot_do_without(pieces: list[str], text: str) -> None:
    pattern = re.compile("".join(pieces))
    for match in pattern.finditer(text):
        for words in required(pattern.pattern):
            assert any(word in match[0] for word in words)


def test_attributes() -> None:
    assert found({"speaker": "会议"}, "要登记", speaker="全省会议") == []
    assert found({"speaker": "会议"}, "要登记") is None
    assert found({"act": ["强调", "要求"]}, "要登记", act="要求") == []
    assert found({"is_heading": True}, "登记", heading=True) == []
    assert found({"genre": ["法规", "通报"]}, "登记") == []
    assert found({"genre": "评论"}, "登记") is None


def test_lists_by_name() -> None:
    rule = parse(
        {"near": ["$verbs", "$things"]},
        {"verbs": ["化解", "解决"], "things": ["矛盾", "$more"], "more": ["纠纷"]},
    )
    assert rule.find(view("解决邻里纠纷"), 0) == ((0, 2), (4, 6))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"nearby": ["a", "b"]}, "nearby"),
        ({"all": "登记"}, "列表"),
        ({"near": ["登记"]}, "两项"),
        ({"near": ["登记", "受理"], "within": -1}, "within"),
        ({"any": ["登记"], "within": 3}, "near"),
        ("$none", "none"),
        ("/(/", "正则"),
        ("", "空"),
        ([], "空"),
        ({"any": [None]}, "空"),
        ({"any": [{"all": ["a", {"xor": "b"}]}]}, r"any\[1\].all\[2\].xor"),
        (object(), "列表或算符"),
    ],
)
def test_what_is_no_rule(rule: object, said: str) -> None:
    with pytest.raises(CodebookError, match=said):
        parse(rule, where="")


def test_a_list_cannot_contain_itself() -> None:
    with pytest.raises(CodebookError, match="没有定义"):
        parse("$a", {"a": ["$a"]})


_TERMS = st.sampled_from(["矛盾", "化解", "登记", "甲"])
_RULES = st.recursive(
    _TERMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.builds(lambda rules: {"all": rules}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda rule: {"not": rule}, inner),
        st.builds(lambda a, b, n: {"near": [a, b], "within": n}, inner, inner, st.integers(0, 6)),
        st.builds(lambda a, b: {"clause": [a, b]}, inner, inner),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    rule=_RULES, texts=st.lists(st.text(alphabet="矛盾化解登记甲，一", max_size=12), min_size=1, max_size=4)
)
def test_candidates_never_miss_and_not_is_the_complement(rule: object, texts: list[str]) -> None:
    seen = view(*texts)
    compiled, opposite = parse(rule), parse({"not": rule})
    narrowed = compiled.candidates(seen)
    for unit in range(len(texts)):
        holds = compiled.find(seen, unit) is not None
        assert not holds or narrowed is None or unit in narrowed
        assert holds != (opposite.find(seen, unit) is not None)
        for start, end in compiled.find(seen, unit) or ():
            assert seen.text(unit)[start:end] in {"矛盾", "化解", "登记", "甲"}
