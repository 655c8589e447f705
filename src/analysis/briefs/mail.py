"""E-mail of finished and failed briefs (邮件通知), by any SMTP server; 内部 briefs are never sent.

Settings stand in ``reports/mail.yml``: ``host``, ``port``, ``security`` (none, starttls, tls), ``user``,
``password_variable`` (name of the environment variable that holds the password), ``sender``, ``recipients``,
``notify`` (succeeded, failed), ``link`` (address of the site, optional).
"""

from __future__ import annotations

import json
import os
import smtplib
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import CodebookError, EngineError
from .plan import Run
from .run import SUCCEEDED, UNCHANGED, Outcome

_LARGEST = 10 * 2**20  # bytes of an attachment that mail servers commonly accept


class Settings(BaseModel):
    """How and to whom (邮件设置)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password_variable: str = "POLICY_BRIEF_SMTP_PASSWORD"
    sender: str
    recipients: tuple[str, ...]
    notify: tuple[Literal["succeeded", "failed"], ...] = ("succeeded", "failed")
    link: str | None = None


def settings(root: Path) -> Settings:
    """The project's settings.

    Raises
    ------
    CodebookError
        ``reports/mail.yml`` is missing or malformed.
    """
    import yaml

    file = root / "reports" / "mail.yml"
    try:
        return Settings(**yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise CodebookError("没有邮件设置", file=file, hint="格式见 docs/engine.md") from None
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise CodebookError(f"邮件设置有误：{error}", file=file, hint="格式见 docs/engine.md") from error


def send(chosen: Settings, runs: Iterable[Run], outcomes: Iterable[Outcome], site: Path) -> int:
    """Send one message a brief; the number sent.

    Raises
    ------
    EngineError
        The server refused or cannot be reached.
    """
    wanted = [
        (run, outcome)
        for run, outcome in zip(runs, outcomes, strict=True)
        if not run.definition.internal
        and outcome.status != UNCHANGED
        and ("succeeded" if outcome.status == SUCCEEDED else "failed") in chosen.notify
    ]
    if not wanted:
        return 0
    try:
        with _connection(chosen) as server:
            for run, outcome in wanted:
                server.send_message(message(chosen, run, outcome, site))
    except (OSError, smtplib.SMTPException) as error:
        raise EngineError(
            f"邮件未能发出：{error}",
            value=f"{chosen.host}:{chosen.port}",
            hint="简报已发布；请检查 reports/mail.yml",
        ) from error
    return len(wanted)


def message(chosen: Settings, run: Run, outcome: Outcome, site: Path) -> EmailMessage:
    """The message of one brief: its findings and the PDF, or what went wrong."""
    good = outcome.status == SUCCEEDED
    heading = " ".join(part for part in (run.definition.title, run.region_name, run.period_label) if part)
    mail = EmailMessage()
    mail["Subject"] = heading if good else f"[失败] {heading}"
    mail["From"] = chosen.sender
    mail["To"] = ", ".join(chosen.recipients)
    folder = site / run.id
    lines = [heading, ""]
    lines += _findings(folder) if good else [outcome.message, "上一份完好的简报仍在原处。"]
    if chosen.link:
        lines += ["", f"{chosen.link.rstrip('/')}/{run.id}{'' if good else '.failed'}/about.html"]
    mail.set_content("\n".join(lines))
    pdf = folder / "brief.pdf"
    if good and pdf.is_file() and pdf.stat().st_size <= _LARGEST:
        mail.add_attachment(
            pdf.read_bytes(),
            maintype="application",
            subtype="pdf",
            filename=f"{run.id.replace('/', '-')}.pdf",
        )
    return mail


def _findings(folder: Path) -> list[str]:
    try:
        content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [f"· {finding['text']}" for finding in content.get("findings", [])]


def _connection(chosen: Settings) -> smtplib.SMTP:
    kind = smtplib.SMTP_SSL if chosen.security == "tls" else smtplib.SMTP
    server = kind(chosen.host, chosen.port, timeout=30)
    if chosen.security == "starttls":
        server.starttls()
    if chosen.user is not None:
        server.login(chosen.user, os.environ.get(chosen.password_variable, ""))
    return server
