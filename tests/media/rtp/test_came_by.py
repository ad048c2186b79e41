"""From which of its sockets a call reads its sound, and until when."""

from __future__ import annotations

import errno
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from intercom.media.rtp import connection
from intercom.media.rtp.connection import Connection


@pytest.fixture
async def call() -> AsyncIterator[Connection]:
    call = Connection(
        [],
        audio=True,
        camera=None,
        names={},
        early_camera=False,
        on_packet=lambda connection, packet, age_s: None,
        on_state=lambda connection: None,
        on_video_event=lambda event: None,
        clock=time.monotonic,
    )
    await call.create_offer()
    yield call
    await call.close()


class Opened:
    """Which sockets a call reads, and which of them no longer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by: list[Any] = []
        self.closed = 0
        monkeypatch.setattr(connection, "Inlet", self._open)

    def _open(self, receiver: object, protocol: object, take: object, is_known: object) -> Opened:
        self.by.append(protocol)
        return self

    def close(self) -> None:
        self.closed += 1


async def test_a_call_reads_from_the_socket_by_which_its_sound_comes_whichever_pair_is_nominated(
    call: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(monkeypatch)
    protocols: list[Any] = ["one", "one", "other", "other"]
    for protocol in protocols:
        call._came_by(protocol)
    assert (opened.by, opened.closed) == (["one", "other"], 1)


async def test_a_connection_that_is_left_or_closed_opens_no_inlet_for_what_still_comes(
    call: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(monkeypatch)
    protocols: list[Any] = ["one", "other"]
    call._came_by(protocols[0])
    await call.close()
    call._came_by(protocols[1])
    assert (opened.by, opened.closed) == (["one"], 1)


async def test_where_no_descriptor_is_free_the_sound_comes_by_the_loop(
    call: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(connection, "Inlet", refuse)
    protocol: Any = "one"
    call._came_by(protocol)
    call.read()
