"""Redaction (脱敏): phone, identity and bank numbers, addresses of e-mail, and private names beside them, are masked on the way in.

A mask has the length of what it hides, so offsets stay. Names of officials in public texts stay, and so do the public
lines of offices (热线, 值班电话): the unit of evaluation is the institution.
"""

from __future__ import annotations

import functools
import re

from .. import codebooks
from .trace import Edit, Traced

_NUMBER = re.compile(
    r"(?<![\d.A-Za-z])(?:"
    r"(?P<identity>[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])"
    r"|(?P<mobile>(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2})"
    r"|(?P<bank>[3-9]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?:[ -]?\d{1,3})?)"
    r"|(?P<landline>0\d{2,3}[-—– ]?\d{7,8}(?:[-转]\d{1,5})?)"
    r"|(?P<old_identity>[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})"
    r")(?![\d.]\d|\d|[A-Za-z])"
    r"|(?<![A-Za-z0-9_.])(?P<email>[A-Za-z0-9_.+-]{2,40}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
)
_BANK_WORDS = re.compile(r"(?:卡号|账号|帐号|账户|帐户|银行|开户)[^。\n]{0,20}$")
_CONTACT_WORDS = re.compile(r"(?:电话|联系|手机|号码)[^。\n]{0,12}$")
_IDENTITY_WORDS = re.compile(r"身份证[^。\n]{0,12}$")
_AMOUNT = re.compile(r"^\s?(?:元|万|亿|件|人|次|吨|米|户|平方|%|个)")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def redact(text: Traced) -> tuple[Traced, int]:
    """Mask what identifies a private person.

    Returns
    -------
    tuple
        The text, of the same length, and how many numbers and names were masked.
    """
    edits: dict[int, Edit] = {}
    for match in _NUMBER.finditer(text.value):
        before = text.value[max(0, match.start() - 40) : match.start()]
        if not _personal(match, before, text.value[match.end() : match.end() + 4]):
            continue
        masked = _mask(match)
        edits[match.start()] = Edit(match.start(), match.end(), masked)
        name = _private_name(before)
        if name:
            start = match.start() - len(before) + name[0]
            end = start + name[1]
            shown = 2 if text.value[start : start + 2] in _names()[2] else 1
            mask = text.value[start : start + shown] + "某" * (end - start - shown)
            edits.setdefault(start, Edit(start, end, mask))
    return text.edit([edits[at] for at in sorted(edits)]), len(edits)


def redact_text(value: str) -> str:
    """The masked form of a short text that needs no trace: a title, a cell of a table."""
    return redact(Traced.of(value))[0].value


def _mask(match: re.Match[str]) -> str:
    """Stars for what is hidden; the network of a mobile number and the host of an address may be seen."""
    if match.lastgroup == "email":
        name, _, host = match[0].partition("@")
        return "*" * len(name) + "@" + host
    kept = match[0][:3] if match.lastgroup == "mobile" and match[0][0] == "1" else ""
    return kept + re.sub(r"[\dXx]", "*", match[0][len(kept) :])


def _personal(match: re.Match[str], before: str, after: str) -> bool:
    """Whether a number is a person's: not an amount, not the public line of an office, and a valid one of its kind."""
    digits = re.sub(r"\D", "", match[0])
    kind = match.lastgroup
    if kind != "email" and _AMOUNT.match(after):
        return False
    if kind == "identity":
        return _checked(match[0]) or bool(_IDENTITY_WORDS.search(before))
    if kind == "old_identity":
        return bool(_IDENTITY_WORDS.search(before))
    if kind == "bank":
        return bool(_BANK_WORDS.search(before)) or (
            16 <= len(digits) <= 19 and digits[0] in "3456" and _luhn(digits)
        )
    if kind == "landline" and digits[len(digits) - 8] in "01" and not _CONTACT_WORDS.search(before):
        return False  # no subscriber's number begins so
    # A label such as 热线 covers the numbers that follow it in the same clause.
    clause = re.split(r"[。；;\n]", before)[-1]
    return _names()[1].search(clause) is None


def _private_name(before: str) -> tuple[int, int] | None:
    """Start and length of the private name just before a number, in the text before it."""
    pattern, _, _, officials = _names()
    found = None
    for match in pattern.finditer(before):
        found = match
    if found is None or re.search(r"[。；;\n]", before[found.end() :]) or len(before) - found.end() > 32:
        return None
    around = (
        before[max(0, found.start("name") - 8) : found.start("name")]
        + before[found.end("name") : found.end("name") + 6]
    )
    if officials.search(around):
        return None
    return found.start("name"), found.end("name") - found.start("name")


def _checked(number: str) -> bool:
    """The check digit of an identity number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(d) * w for d, w in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


@functools.cache
def _names() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str], re.Pattern[str]]:
    book = codebooks.load("names")
    name = rf"(?:{'|'.join(book['compounds'])}|[{book['surnames']}])[\u4e00-\u9fff]{{1,2}}"
    labels = "|".join(book["private"])
    numbered = r"[\s，,、（(：:]*(?:[男女]，?)?(?:联系)?(?:电话|手机|号码|身份证|银行卡|卡号|账号|微信)?(?:号码?)?[\s是为：:）)（(]*$"
    return (
        re.compile(
            rf"(?:(?:{labels})(?:是|为|叫)?[\s：:（(]*|(?<![\u4e00-\u9fff])(?=.{{2,4}}{numbered}))"
            rf"(?P<name>{name}?)(?=[^\u4e00-\u9fff]|[的称也到说向来于在因及和与等自]|反映|提供|$|{numbered})"
        ),
        re.compile("|".join(book["public_lines"])),
        frozenset(book["compounds"]),
        re.compile("|".join(book["officials"])),
    )
