"""A connection is broken off in any state and on any Python."""

from __future__ import annotations

import asyncio

from intercom.transports import break_off


class ClosedTwice(asyncio.Transport):
    """A TLS connection of Debian 12's Python 3.11.2 after its second `close()`."""

    def __init__(self) -> None:
        super().__init__()
        self._ssl_protocol = None

    def abort(self) -> None:
        self._ssl_protocol._abort()  # type: ignore[attr-defined]  # as that Python has it


class Open(asyncio.Transport):
    """A connection that is open."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_a_connection_that_is_open_is_aborted() -> None:
    connection = Open()
    break_off(connection)
    assert connection.aborted


def test_one_that_was_closed_twice_is_left_to_its_end() -> None:
    break_off(ClosedTwice())
