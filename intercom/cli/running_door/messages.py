"""The commands for the visitors' messages that are kept at the door."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from intercom.cli import render as text
from intercom.cli.running_door.remote import OK, TROUBLE, asking, local, print_json, say, wrote

if TYPE_CHECKING:
    import argparse

    from intercom.control.client import Client


@asking
def list_(options: argparse.Namespace, client: Client) -> int:
    """List the messages that are kept at the door, the newest first."""
    messages = client.ask("messages")
    if options.json:
        print_json(messages)
    elif messages:
        rows = [
            (local(one["began_at"])[:16], f"{one['seconds']} s", f"{one['bytes'] / 1e6:.1f} MB", one["id"])
            for one in messages
        ]
        say(text.table(("LEFT", "LENGTH", "SIZE", "ID"), rows))
    else:
        say("No message is kept at the door; those that the house's space has are on its page.")
    return OK


@asking
def get(options: argparse.Namespace, client: Client) -> int:
    """Write a message to a file or standard output."""
    from base64 import b64decode

    film = b""
    while True:
        answer = client.ask("messages.get", id=options.id, at=len(film), by=options.by)
        film += b64decode(answer["data"])
        if len(film) >= answer["bytes"] or not answer["data"]:
            break
    if options.file == Path("-"):
        sys.stdout.buffer.write(film)
        return OK
    if not wrote(options.file, film):
        return TROUBLE
    say(f"{options.file}: the message of {local(answer['began_at'])}")
    return OK


@asking
def delete(options: argparse.Namespace, client: Client) -> int:
    """Delete a message."""
    client.ask("messages.delete", id=options.id, by=options.by)
    say("The message is deleted.")
    return OK
