"""What `intercom doctor` says of the receivers of webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intercom.cli.checks import doctor
from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.cli.checks.webhooks import webhooks
from intercom.config import Config, WebhookConfig
from tests.integrations.webhooks.receiver import receiver
from tests.ports import reserved_port

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWS = {"fault": "", "waiting": 0, "last_at": None}
WORD = "a-word-that-nobody-guesses"


def said(url: str, told: dict[str, Any] | None, secret: str = KEY) -> list[Finding]:
    config = Config(webhook=(WebhookConfig(url=f"{url}{WORD}", name="shed", secret=secret),))
    findings = list(webhooks(config, None if told is None else {"integrations": {"webhooks": {"shed": told}}}))
    assert WORD not in str(findings), "the URL is a secret"
    return findings


def test_a_door_without_webhooks_is_told_nothing() -> None:
    assert list(webhooks(Config(), None)) == []


def test_the_last_answer_of_a_receiver_is_told() -> None:
    (good,) = said("http://localhost:1/", {**NEWS, "last_at": "2026-11-29T08:30:00.000+00:00"})
    assert good.verdict == GOOD
    assert good.told.startswith("shed: the last delivery arrived at 2026-11-29 ")
    (bad,) = said("http://localhost:1/", {**NEWS, "fault": "the receiver says 404 Not Found", "waiting": 3})
    assert (bad.verdict, bad.told) == (BAD, "shed: the receiver says 404 Not Found; 3 wait")
    assert "intercom webhook test shed" in bad.mend


async def test_a_receiver_that_was_sent_nothing_is_looked_for() -> None:
    async with receiver() as taker:
        (good,) = said(taker.url, NEWS)
    assert (good.verdict, good.told) == (GOOD, "shed: its receiver is reached; nothing was sent to it since the start")
    with reserved_port() as nobody:
        (bad,) = said(f"http://127.0.0.1:{nobody}/", NEWS)
    assert bad.verdict == BAD
    assert "its receiver is not reached: Connection refused" in bad.told


def test_a_door_that_does_not_run_is_told_and_its_receivers_are_looked_for() -> None:
    with reserved_port() as nobody:
        waits, bad = said(f"http://127.0.0.1:{nobody}/", None)
    assert (waits.verdict, waits.told) == (WARNING, "no running door tells the receivers")
    assert bad.verdict == BAD


def test_what_is_not_signed_is_remarked_on() -> None:
    *_, warning = said("http://localhost:1/", {**NEWS, "last_at": "2026-11-29T08:30:00.000+00:00"}, secret="")
    assert warning.verdict == WARNING
    assert "cannot tell who sends" in warning.told


@pytest.mark.parametrize(("mode", "verdict"), [(0o644, BAD), (0o640, GOOD)])
def test_a_secret_in_a_file_that_everybody_reads_is_bad(tmp_path: Path, mode: int, verdict: str) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text(f'[[webhook]]\nurl = "http://localhost:1/{WORD}"\nsecret = "{KEY}"\n')
    file.chmod(mode)
    first = next(doctor.examine(file, tmp_path / "control.sock"))
    assert (first.what, first.verdict) == ("configuration", verdict)
    assert ("webhook.url, webhook.secret" in first.told) == (verdict == BAD)
    assert KEY not in first.told
