"""What lies in folders and archives, and what is refused of it."""

from __future__ import annotations

import io
import zipfile

import pytest

from analysis.corpus import source
from analysis.corpus.reject import Refusal
from analysis.errors import InputError


def archive(members: dict[str, bytes], **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def test_files_of_a_folder_in_order(tmp_path):
    for name in ("b.txt", "a/c.md", ".hidden", "~$lock.docx", "corpus.yml", "metadata.json", "a/.git/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("信访")
    assert [one.name for one in source.find(tmp_path)] == ["a/c.md", "b.txt"]


def test_a_list_names_each_file_once_and_apart(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder)
    found = source.find([tmp_path / "x", tmp_path / "y", tmp_path / "x" / "a.txt"])
    assert [one.name for one in found] == ["a.txt", "y/a.txt"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="找不到语料"):
        source.find(tmp_path / "none")


def test_members_of_an_archive():
    data = archive({"甲/a.txt": "信访".encode(), "__MACOSX/a.txt": b"x", "b.txt": b"y"})
    assert dict(source.members(data)) == {"b.txt": b"y", "甲/a.txt": "信访".encode()}


def test_names_in_gbk_are_read():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        info = zipfile.ZipInfo("x.txt")
        info.filename = "通报.txt".encode("gbk").decode("cp437")
        file.writestr(info, "信访")
    data = buffer.getvalue()
    # the writer marks non-ASCII names as UTF-8; Chinese Windows writes GBK bytes without the mark
    utf8 = "通报.txt".encode("gbk").decode("cp437").encode()
    gbk = "通报.txt".encode("gbk")
    assert utf8 in data
    assert source._name(_info("通报.txt".encode("gbk").decode("cp437"), flags=0)) == "通报.txt"
    assert source._name(_info("通报.txt", flags=0x800)) == "通报.txt"
    assert gbk != utf8


def _info(name: str, flags: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename, info.flag_bits = name, flags
    return info


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd.txt", "a/../../b.txt", "C:\\x.txt"])
def test_names_that_climb_out_are_refused(name):
    (found,) = source.members(archive({name: b"x"}))
    assert isinstance(found[1], Refusal)
    assert found[1].rule == "路径越界"


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(source, "ARCHIVE_LIMIT", 50_000_000)
    bomb = archive({"a.txt": b"0" * 30_000_000})
    with pytest.raises(Refusal) as caught:
        list(source.members(bomb))
    assert caught.value.rule == "压缩炸弹"


def test_a_member_larger_than_it_says_is_cut_off(monkeypatch):
    monkeypatch.setattr(source, "FILE_LIMIT", 1000)
    ((_, found),) = source.members(archive({"a.txt": bytes(range(256)) * 8}))
    assert isinstance(found, Refusal)
    assert found.rule == "文件过大"


def test_a_password_is_refused():
    data = bytearray(archive({"a.txt": b"x"}))
    # the first bit of the flags, in the local and in the central header
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.find(mark) + (6 if mark == b"PK\x03\x04" else 8)
        data[at] |= 1
    ((_, found),) = source.members(bytes(data))
    assert isinstance(found, Refusal)
    assert found.rule == "加密的压缩包"


def test_a_broken_archive_is_refused():
    with pytest.raises(Refusal) as caught:
        list(source.members(b"PK\x03\x04 broken"))
    assert caught.value.rule == "损坏的压缩包"


def test_a_file_too_large_is_not_opened(tmp_path):
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(200_000_000)  # sparse: takes no room
    with pytest.raises(Refusal) as caught:
        source.load_bytes(huge)
    assert caught.value.rule == "文件过大"
