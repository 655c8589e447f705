"""Messages through a real SMTP server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from analysis.briefs import mail, run
from analysis.briefs.run import Outcome
from analysis.errors import CodebookError, EngineError


class Box:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, int]]:
    it = Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(it, hostname="127.0.0.1", port=port)
    server.start()
    yield it, port
    server.stop()


def settings(project: Any, port: int, **more: Any) -> mail.Settings:
    lines = [f"host: 127.0.0.1\nport: {port}\nsecurity: none\nsender: brief@example.org"]
    lines += ["recipients: [one@example.org, two@example.org]\nlink: http://intranet/briefs/"]
    lines += [f"{name}: {value}" for name, value in more.items()]
    (project.root / "reports/mail.yml").write_text("\n".join(lines), encoding="utf-8")
    return mail.settings(project.root)


def test_finished_and_failed_briefs_are_told_and_unchanged_and_internal_ones_not(
    project: Any, box: tuple[Box, int]
) -> None:
    chosen = settings(project, box[1])
    runs = [*project.plan("counts", region="990102"), *project.plan("behaves", parameters={"how": "raise"}),
            *project.plan("inner"), *project.plan("counts", region="990202")]  # fmt: skip
    outcomes = [*project.build("counts", region="990102"), *project.build("behaves", parameters={"how": "raise"}),
                *project.build("inner"), Outcome(runs[3].id, run.UNCHANGED)]  # fmt: skip
    (project.folder("counts/990102/2024-03") / "brief.pdf").write_bytes(b"%PDF-1.7")
    assert mail.send(chosen, runs, outcomes, project.site) == 2
    done, failed = box[0].messages
    assert box[0].recipients == ["one@example.org", "two@example.org"] * 2
    assert done["Subject"] == "件数简报 示例省澄川市澄浦区 2024年3月"
    body = done.get_body()
    assert body is not None
    assert "本期共收到 30件。" in body.get_content()
    assert "http://intranet/briefs/counts/990102/2024-03/about.html" in body.get_content()
    (pdf,) = done.iter_attachments()
    assert pdf.get_filename() == "counts-990102-2024-03.pdf"
    assert pdf.get_content() == b"%PDF-1.7"
    assert failed["Subject"].startswith("[失败]")
    text = failed.get_body()
    assert text is not None
    assert "数据有误" in text.get_content()


def test_only_failures_if_so_asked(project: Any, box: tuple[Box, int]) -> None:
    chosen = settings(project, box[1], notify="[failed]")
    (it,) = project.plan("counts", region="990102")
    assert mail.send(chosen, [it], [Outcome(it.id, run.SUCCEEDED)], project.site) == 0
    assert mail.send(chosen, [it], [Outcome(it.id, run.FAILED, message="坏了")], project.site) == 1


def test_a_server_that_does_not_answer_is_an_error_of_ours(project: Any, box: tuple[Box, int]) -> None:
    chosen = settings(project, 1)
    (it,) = project.plan("counts", region="990102")
    with pytest.raises(EngineError, match="邮件未能发出"):
        mail.send(chosen, [it], [Outcome(it.id, run.SUCCEEDED)], project.site)


def test_settings_missing_or_wrong(project: Any) -> None:
    with pytest.raises(CodebookError, match="没有邮件设置"):
        mail.settings(project.root)
    with pytest.raises(CodebookError, match="邮件设置有误"):
        settings(project, 25, colour="red")
