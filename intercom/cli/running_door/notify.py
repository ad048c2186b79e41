"""`intercom notify test`: has the running door send a test message, and says for each service whether it arrived."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from intercom.cli.render import printable
from intercom.cli.running_door.remote import OK, TROUBLE, asking, marks, say
from intercom.control.client import Client

PATIENCE_S = 90.0
"""Limit of the wait for one service: the door itself gives up earlier, and says why."""


@asking
def test(options: argparse.Namespace, client: Client) -> int:
    """Print one line for each service; fail if a message did not arrive everywhere."""
    paint, worst = marks(), OK
    for name in client.ask("notify.test", name=options.name, by=options.by):
        result = _result(client, name)
        verdict = "bad" if result is None or not result["arrived"] else "warning" if result["why"] else "good"
        say(f"{paint[verdict]} {printable(name)}: {printable(_in_words(result))}")
        worst = max(worst, TROUBLE if verdict == "bad" else OK)
    return worst


def _result(client: Client, name: str) -> Mapping[str, Any] | None:
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        result: Mapping[str, Any] | None = client.ask("notify.tested", name=name)
        if result is not None:
            return result
    return None


def _in_words(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "it is not known what became of it"
    if not result["arrived"]:
        return f"did not arrive: {result['why']}"
    arrived = f"arrived after {result['took_s']:g} s"
    return f"{arrived}, {result['why']}" if result["why"] else arrived
