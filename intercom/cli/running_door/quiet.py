"""`intercom quiet`: switches the bells of the house off and on, and tells whether they are."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from intercom.cli import render as text
from intercom.cli.running_door.remote import OK, USAGE, asking, complain, say
from intercom.control.client import Client

HOUR_S = 3600.0
"""Length of an hour."""


@asking
def quiet(options: argparse.Namespace, client: Client) -> int:
    """Make the house quiet or let it ring, and print how it is."""
    what, when = options.what, options.when or ""
    for_s = _seconds(when) if what == "for" else None
    if (what in ("until", "for")) != bool(when) or (what == "for" and for_s is None):
        complain("say `quiet on`, `quiet off`, `quiet until 07:00` or `quiet for 2`, where 2 are hours")
        return USAGE
    wanted = None if what is None else what != "off"
    until = when if what == "until" else ""
    said = client.ask("quiet", quiet=wanted, for_s=for_s, until=until, by=options.by)
    say(_in_words(said))
    return OK


def _seconds(hours: str) -> float | None:
    try:
        return float(hours) * HOUR_S
    except ValueError:
        return None


def _in_words(said: Mapping[str, Any]) -> str:
    now = text.quiet(said)
    sentence = f"Quiet: {now}." if now else "The bells of the house are on."
    return f"{sentence} Every day from {said['from']} to {said['to']}." if said["from"] else sentence
