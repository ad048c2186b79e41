"""What `intercom doctor` finds out about the services of `[[notify]]`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.config import Config
from intercom.config.notify import names_of
from intercom.notify.process import faults_of

TEST = "`intercom notify test {name}` tries it; docs/notifications.md"


def notifications(config: Config, doc: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Yield a finding for each entry, from the status of the running door, if there is one, and from its URL."""
    if not config.notify:
        return
    told = {entry["name"]: entry for entry in (doc or {}).get("notify", [])}
    names = names_of(config.notify)
    for name, fault in zip(names, asyncio.run(faults_of([entry.url for entry in config.notify])), strict=True):
        yield _finding(name, fault, told.get(name))


def _finding(name: str, fault: str, told: Mapping[str, Any] | None) -> Finding:
    mend = TEST.format(name=name)
    if fault:
        return Finding("notify", BAD, f"{name}: {fault}", "mend it in the configuration, then restart the door")
    if told is None:
        return Finding("notify", WARNING, f"{name}: no running door has it", "restart the door")
    if told["fault"]:
        return Finding("notify", BAD, f"{name}: {told['fault']}", mend)
    if told["last_at"] is None:
        return Finding("notify", WARNING, f"{name}: nothing was sent to it since the start", mend)
    return Finding("notify", GOOD, f"{name}: the last message arrived after {told['took_s']:g} s")
