"""Records two walks at a real door: from the button to the invite, and from an SSH command to its answer."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import io
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from intercom.cli import fast_status
from intercom.cli.running_door import remote
from intercom.config import AudioConfig
from intercom.control.client import Client
from intercom.control.server import ControlServer
from intercom.panel import Door, FrontPanel
from intercom.signalwire.link.transport import WebSocket
from tests.e2e.home import Home, home_config
from tests.walk import Call, Walk, recorded

WAIT_S = 90.0
SAID = "door open"
"""Command that the SSH client sends on the second walk."""


class Walks(NamedTuple):
    """What was recorded."""

    press: list[Call]
    "from the press to the frame of the invite"
    asked: list[Call]
    "from the command that sshd runs to the question on the control socket"
    done: list[Call]
    "from that question to the relay"
    answered: list[Call]
    "from the command that sshd runs to the line that it prints"
    readers: list[tuple[str, str]]
    "what took the words of the SSH client apart: modules and functions"


@functools.cache
def walks() -> Walks:
    """Record both walks at a real door: simulated pins and sound card, a real space, the real command."""
    with tempfile.TemporaryDirectory(prefix="walk-") as directory:
        return asyncio.run(_walk(Path(directory)))


async def _walk(directory: Path) -> Walks:
    press = Walk(FrontPanel._report, WebSocket.send, lambda arguments: '"verto.invite"' in arguments["text"])
    asked = Walk(fast_status.main, Client.ask)
    done = Walk(ControlServer._answer, Door.open)
    answered = Walk(fast_status.main, remote.say)
    with recorded(press, asked, done, answered):
        home = Home(directory, home_config(audio=AudioConfig(card="simulated")))
        try:
            await home.start()
            assert home.door is not None
            # The walk is that of a door which has loaded what a call needs, as it does a while after its start.
            await asyncio.to_thread(home.door.media.prepare)
            await home.press()
            assert await asyncio.to_thread(press.arrived.wait, WAIT_S), "the press led to no invite"
            readers = await asyncio.to_thread(_by_ssh, directory / "control.sock")
            assert answered.arrived.is_set(), "the command over SSH got no answer"
        finally:
            await home.stop()
    return Walks(press.calls, asked.calls, done.calls, answered.calls, readers)


def _by_ssh(control_socket: Path) -> list[tuple[str, str]]:
    """Run what sshd runs for an operator's key; return who took the client's words apart."""
    readers: list[tuple[str, str]] = []
    split, parse = shlex.split, argparse.ArgumentParser.parse_args

    def noted_split(text: str, *more: Any, **settings: Any) -> list[str]:
        if text == SAID:
            readers.append(_reader())
        return split(text, *more, **settings)

    def noted_parse(parser: argparse.ArgumentParser, words: Sequence[str] | None = None, *more: Any) -> Any:
        if words is not None and set(SAID.split()) <= set(words):
            readers.append(_reader())
        return parse(parser, words, *more)

    with (
        mock.patch.object(sys, "argv", ["intercom", "ssh-gate", "operator", "--socket", str(control_socket)]),
        mock.patch.dict(os.environ, {"SSH_ORIGINAL_COMMAND": SAID}),
        mock.patch.object(os, "isatty", lambda descriptor: False),
        mock.patch.object(shlex, "split", noted_split),
        mock.patch.object(argparse.ArgumentParser, "parse_args", noted_parse),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        assert fast_status.main() == remote.OK
    return readers


def _reader() -> tuple[str, str]:
    frame = sys._getframe(2)
    return frame.f_globals["__name__"].removeprefix("intercom."), frame.f_code.co_qualname
