"""Segmentation (分词): fixed phrases whole on the raw text, everything else by rjieba with HMM off.

Quoted phrases (“枫桥经验”), number names (7+73+1330) and lexicon words of four characters or more, or with marks in
them, are found on characters before any segmenter sees the text, so none is ever split; what lies between them goes
to the tokenizer in one piece. Shorter lexicon words join the tokenizer's own dictionary instead: found on characters,
来访 would also fire in 本来|访问. With HMM off rjieba
and jieba give the same words (text_methods 4.2), and both score better on news than with it (4.3).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import codebooks
from ..errors import CodebookError, RequestError

if TYPE_CHECKING:
    import pandas as pd

#: Quoted phrases of up to this many characters are one token; longer ones are quotations, not names.
QUOTED_LIMIT = 10
#: A line of a lexicon with more characters is no word.
LONGEST = 60
_QUOTES = (("“", "”"), ("「", "」"), ("『", "』"), ('"', '"'))
_OPENING = frozenset(opening for opening, _ in _QUOTES)
_HOLD = "\ue000"
_JIEBA_LINE = re.compile(r"(\S+)\s+\d+(?:\s+[A-Za-z]+)?")
_COUNTED = re.compile(r"[第上下本当每]?[一二三四五六七八九十两几数\d]*[类日月年次个项件名人级批天季周期底]+")
_SHORT = re.compile(r"[\u4e00-\u9fd5]{1,3}")
_HAN = re.compile(r"[㐀-鿿𠀀-𮯯]")


@dataclass(frozen=True)
class Lexicon:
    """Words that are never split (词表), each with a kind where the file gives one.

    Attributes
    ----------
    words
        Word → kind (``""`` where none is given).
    version, source
        From the file's header; empty for words given in code.
    digest
        First 12 hex digits of the SHA-256 of the words, for manifests.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    source: str = ""

    @classmethod
    def load(cls, name: str | Path = "lexicon.txt") -> Lexicon:
        """Read a packaged lexicon by its name or a user's by its path: a word a line, a tab before its kind.

        A byte order mark, Windows line ends, jieba's ``word frequency tag`` lines, spaces and punctuation inside words
        are all taken as meant.

        Raises
        ------
        CodebookError
            No such file, not UTF-8, or a line with control characters or too long for a word; the message names the line.
        """
        file = Path(name) if Path(name).exists() else codebooks.path(str(name))
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            raise CodebookError("找不到词表", file=file, hint="请检查路径") from None
        except IsADirectoryError:
            raise CodebookError("词表应是文件，这是文件夹", file=file) from None
        except UnicodeDecodeError as error:
            raise CodebookError(
                "词表不是 UTF-8 编码",
                file=file,
                row=file.read_bytes()[: error.start].count(b"\n") + 1,
                hint="请在编辑器中另存为 UTF-8",
            ) from None
        header: dict[str, str] = {}
        words: dict[str, str] = {}
        for row, line in enumerate(text.splitlines(), 1):
            if line.startswith("#"):
                key, _, value = line[1:].partition(":")
                header.setdefault(key.strip(), value.strip())
                continue
            word, _, kind = line.partition("\t")
            if matched := _JIEBA_LINE.fullmatch(line.strip()):
                word, kind = matched[1], ""
            word = word.strip()
            if not word:
                continue
            if any(not character.isprintable() for character in word) or _HOLD in word:
                raise CodebookError(
                    "词表中有不可见字符", file=file, row=row, value=word, hint="请删去这一行重新输入"
                )
            if len(word) > LONGEST:
                raise CodebookError(
                    f"词表中有超过 {LONGEST} 字的词",
                    file=file,
                    row=row,
                    value=word[:20] + "…",
                    hint="一行只写一个词",
                )
            words[word] = kind.strip()
        return cls(words, header.get("version", ""), header.get("source", ""))

    def with_words(self, words: Iterable[str], kind: str = "") -> Lexicon:
        """A copy with more words."""
        return Lexicon({**dict.fromkeys(words, kind), **self.words}, self.version, self.source)

    @property
    def digest(self) -> str:
        """Hash of the words."""
        return hashlib.sha256("\n".join(sorted(self.words)).encode()).hexdigest()[:12]


class Segmenter:
    """Cuts text into words with a tokenizer of its own, so that no lexicon leaks between runs (分词器).

    Parameters
    ----------
    lexicon
        Default: the packaged one. ``Lexicon()`` for none.
    engine
        ``rjieba`` (default) or ``jieba``; the result is the same, rjieba is about fifteen times faster.

    Raises
    ------
    RequestError
        No such engine.
    """

    def __init__(self, lexicon: Lexicon | None = None, engine: str = "rjieba") -> None:
        self.lexicon = Lexicon.load() if lexicon is None else lexicon
        self.engine = engine
        short = frozenset(word for word in self.lexicon.words if _SHORT.fullmatch(word))
        self._cut = _tokenizer(engine, sorted(short))
        self._fixed, self._covers = _patterns(tuple(sorted(self.lexicon.words.keys() - short)))

    def cut(self, text: str) -> list[str]:
        """The words of a text in order; joined they give the text again."""
        held: list[str] = []
        covers = self._covers

        def hold(match: re.Match[str]) -> str:
            found = match[0]
            if found in covers:  # a dictionary word around a lexicon word: leave it to the tokenizer
                return found
            if found[0] in _OPENING:  # the marks are words of their own
                held.append(found[1:-1])
                return found[0] + _HOLD + found[-1]
            held.append(found)
            return _HOLD

        words = self._cut(self._fixed.sub(hold, text.replace(_HOLD, " ")))
        if held:
            place = -1
            for phrase in held:
                place = words.index(_HOLD, place + 1)
                words[place] = phrase
        return words

    def tokenize(self, text: str) -> list[tuple[str, int, int]]:
        """Words with their character offsets."""
        tokens = []
        start = 0
        for word in self.cut(text):
            end = start + len(word)
            tokens.append((word, start, end))
            start = end
        return tokens


def tokens(documents: pd.DataFrame, segmenter: Segmenter | None = None) -> pd.DataFrame:
    """Words of the documents with their offsets.

    Returns
    -------
    pandas.DataFrame
        doc_id, start, end (offsets in ``body``), word, kind (of the lexicon; NA for other words). White space is no
        word. For large corpora count with :func:`analysis.text.count` instead, which keeps no row a word.
    """
    import pandas as pd

    segmenter = segmenter or Segmenter()
    ids: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    words: list[str] = []
    for doc_id, body in zip(documents["doc_id"], documents["body"], strict=True):
        if not isinstance(body, str):
            continue
        for word, start, end in segmenter.tokenize(body):
            if not word.isspace():
                ids.append(doc_id)
                starts.append(start)
                ends.append(end)
                words.append(word)
    frame = pd.DataFrame({"doc_id": ids, "start": starts, "end": ends, "word": words})
    frame["kind"] = frame["word"].map(segmenter.lexicon.words).astype("string").replace("", None)
    frame.attrs.update(engine=segmenter.engine, hmm=False, lexicon=segmenter.lexicon.digest)
    return frame


@functools.lru_cache(maxsize=4)
def stopwords(name: str | Path = "stopwords.txt") -> frozenset[str]:
    """Words that say nothing of the content (停用词)."""
    file = Path(name) if Path(name).exists() else codebooks.path(str(name))
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_content(word: str, stop: frozenset[str]) -> bool:
    """Whether a word counts as a term: two characters or more, one of them Han, no stop word, no date or amount (三类, 本月)."""
    return (
        len(word) > 1 and word not in stop and _HAN.search(word) is not None and not _COUNTED.fullmatch(word)
    )


def _tokenizer(engine: str, words: Iterable[str]) -> Callable[[str], list[str]]:
    """A tokenizer that nobody else has, with some words in its dictionary."""
    if engine == "rjieba":
        import rjieba

        fast = rjieba.Jieba()
        for word in words:
            fast.add_word(word, None, None)
        return functools.partial(_cut_rjieba, fast)
    if engine == "jieba":
        import logging
        import warnings

        with warnings.catch_warnings():  # its source has escapes that newer Pythons warn of
            warnings.simplefilter("ignore")
            import jieba
        jieba.setLogLevel(logging.WARNING)
        slow = jieba.Tokenizer()
        for word in words:
            slow.add_word(word)
        return functools.partial(slow.lcut, HMM=False)
    raise RequestError("没有这个分词引擎", value=engine, hint="可用：rjieba、jieba")


def _cut_rjieba(tokenizer: Any, text: str) -> list[str]:
    return tokenizer.cut(text, False)


@functools.lru_cache(maxsize=8)
def _patterns(words: tuple[str, ...]) -> tuple[re.Pattern[str], frozenset[str]]:
    """The pattern of everything fixed, and the dictionary words that contain a lexicon word (印度尼西亚 ⊃ 印度)."""
    own = set(words)
    covers = frozenset(cover for word in words for cover in _containing(word) if cover not in own)
    # Every alternative begins with a literal character: only then does `re` skip quickly to the places that matter.
    inner = r"[^“”「」『』\"，。；：！？、,;:!?\s（）()]"
    quoted = [f"{opening}{inner}{{1,{QUOTED_LIMIT}}}{closing}" for opening, closing in _QUOTES]
    numbers = [rf"{digit}(?<![\d.]{digit})\d*(?:\s?[+＋]\s?\d+)+" for digit in "0123456789"]
    return re.compile("|".join([*quoted, *numbers, *_branches(_trie([*words, *covers]))])), covers


def _containing(word: str) -> list[str]:
    text = _dictionary()
    found = []
    at = text.find(word)
    while at >= 0:
        left = text.rfind("\n", 0, at) + 1
        right = text.find("\n", at)
        if right - left > len(word):
            found.append(text[left:right])
        at = text.find(word, right)
    return found


@functools.lru_cache(maxsize=1)
def _dictionary() -> str:
    """The words of jieba's dictionary, a line each; read without importing jieba, which would load its models."""
    spec = importlib.util.find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:
        return "\n"
    file = Path(spec.submodule_search_locations[0]) / "dict.txt"
    with file.open(encoding="utf-8") as lines:
        return "\n" + "\n".join(line.split(" ", 1)[0] for line in lines) + "\n"


def _trie(words: Iterable[str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return root


def _branches(node: Mapping[str, Any]) -> list[str]:
    """The alternatives of a node as regular expressions; no two begin alike, so the longest word always wins."""
    return [re.escape(character) + _below(below) for character, below in sorted(node.items()) if character]


def _below(node: Mapping[str, Any]) -> str:
    options = _branches(node)
    if not options:
        return ""
    return f"(?:{'|'.join(options)})" + ("?" if "" in node else "")
