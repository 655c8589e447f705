"""Redaction: made-up numbers and names only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.corpus.redact import redact
from analysis.corpus.trace import Traced

#: 330102 1990-01-01, check digit by ISO 7064 MOD 11-2 worked out by hand: weighted sum 158, 158 % 11 = 4 → "8".
IDENTITY = "330102199001010018"


def check_digit(first: str) -> str:
    weights = [2 ** (17 - i) % 11 for i in range(17)]
    return "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]


@pytest.mark.parametrize(
    ("text", "masked", "count"),
    [
        ("联系人：张小明，电话13800000000。", "联系人：张某某，电话138********。", 2),
        ("信访人李四（身份证号330102199001011234）反映", "信访人李某（身份证号******************）反映", 2),
        (
            "建材店店主吴某文也到镇里反映，联系方式为0571-86660000",
            "建材店店主吴某某也到镇里反映，联系方式为****-********",
            2,
        ),
        ("业主赵六，0571-86660000", "业主赵某，****-********", 2),
        ("欧阳某兰 13800000000 反映", "欧阳某某 138******** 反映", 2),
        ("收款账号6222021234567890123", "收款账号*******************", 1),
        ("邮箱li.si@example.org", "邮箱*****@example.org", 1),
        ("市信访局局长王强（13900000000）", "市信访局局长王强（139********）", 1),
    ],
)
def test_private_numbers_and_names_are_masked(text, masked, count):
    assert (redact(Traced.of(text))[0].value, redact(Traced.of(text))[1]) == (masked, count)


@pytest.mark.parametrize(
    "text",
    [
        "热线电话0571-12345678，监督电话0571-87654321",
        "请拨打12345、12315、12348热线",
        "共计13800000000元",
        "受理群众诉求13912345678件",
        "市信访局局长王强出席会议并讲话",
        "国内统一刊号CN99-0001，第3327期",
        "2024年1月16日至20240117，占比98.50%",
        "索引号6107280000/2024-001005",
        "会议由县委书记张三主持",
    ],
)
def test_public_numbers_amounts_and_officials_stay(text):
    assert redact(Traced.of(text)) == (Traced.of(text), 0)


def test_an_identity_number_without_a_label_is_known_by_its_check_digit():
    first = IDENTITY[:17]
    good = first + check_digit(first)
    bad = first + ("1" if check_digit(first) != "1" else "2")
    assert redact(Traced.of(f"号码{good}。"))[1] == 1
    assert redact(Traced.of(f"号码{bad}。"))[1] == 0


@given(st.text(st.sampled_from("张三联系人：电话138000000，。（）局长 热线0571-8x"), max_size=60))
def test_a_mask_has_the_length_of_what_it_hides(text):
    masked, count = redact(Traced.of(text))
    assert len(masked) == len(text)
    assert masked.origin.tolist() == list(range(len(text)))
    assert (count == 0) == (masked.value == text)
