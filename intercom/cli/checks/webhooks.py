"""What `intercom doctor` finds out about the receivers of `[[webhook]]`, without a word of their secret URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.cli.running_door.remote import local
from intercom.config import Config
from intercom.config.webhooks import WebhookConfig, names_of
from intercom.net import connect

REACHED_S = 3.0
"""Time limit for the connection to a receiver."""
PORTS = {"http": 80, "https": 443}
TEST = "`intercom webhook test {name}` tries it; docs/webhooks.md"


def webhooks(config: Config, doc: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Yield how each receiver answered last, or else whether it is reached, and what of it is not signed."""
    told = ((doc or {}).get("integrations") or {}).get("webhooks")
    if told is None and config.webhook:
        mend = "restart the door; if it runs, `intercom faults` says why it tells nobody"
        yield Finding("webhook", WARNING, "no running door tells the receivers", mend)
    for entry, name in zip(config.webhook, names_of(config.webhook), strict=True):
        yield _answered(entry, name, (told or {}).get(name))
        if not entry.secret:
            unsigned = f"{name}: nothing is signed, so that its receiver cannot tell who sends"
            yield Finding("webhook", WARNING, unsigned, "give it a secret; docs/webhooks.md")


def _answered(entry: WebhookConfig, name: str, told: Mapping[str, Any] | None) -> Finding:
    mend = TEST.format(name=name)
    if told is not None and told["fault"]:
        waits = f"; {told['waiting']} wait" if told["waiting"] else ""
        return Finding("webhook", BAD, f"{name}: {told['fault']}{waits}", mend)
    if told is not None and told["last_at"] is not None:
        return Finding("webhook", GOOD, f"{name}: the last delivery arrived at {local(told['last_at'])}")
    parts = urlsplit(entry.url)
    try:
        connect((parts.hostname or "", parts.port or PORTS[parts.scheme]), REACHED_S).close()
    except OSError as error:
        why = error.strerror or "no answer in time"
        return Finding("webhook", BAD, f"{name}: its receiver is not reached: {why}", mend)
    return Finding("webhook", GOOD, f"{name}: its receiver is reached; nothing was sent to it since the start")
