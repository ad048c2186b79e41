"""`intercom webhook test`: has the running door send a test to its webhooks, and says whether each took it."""

from __future__ import annotations

import argparse
from typing import Any

from intercom.cli.render import printable
from intercom.cli.running_door.remote import OK, TROUBLE, asking, marks, say
from intercom.control.client import Client
from intercom.control.errors import RefusedError
from intercom.control.protocol import METHOD_NOT_FOUND


@asking
def test(options: argparse.Namespace, client: Client) -> int:
    """Print one line for each webhook; fail if one did not take the test."""
    paint, worst = marks(), OK
    for result in _tried(client, options.name):
        if result["arrived"]:
            say(f"{paint['good']} {printable(result['name'])}: took it after {result['took_s']:g} s")
        else:
            say(f"{paint['bad']} {printable(result['name'])}: did not take it: {printable(result['why'])}")
            worst = TROUBLE
    return worst


def _tried(client: Client, name: str) -> list[dict[str, Any]]:
    try:
        results: list[dict[str, Any]] = client.ask("webhook.test", name=name)
    except RefusedError as refusal:
        if refusal.code != METHOD_NOT_FOUND:
            raise
        raise RefusedError("there is no [[webhook]]; `intercom config check` may say why", refusal.code) from refusal
    return results
