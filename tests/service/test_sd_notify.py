"""What the service tells systemd, over a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from intercom.service.sd_notify import STATUS_CHARS, Notifier
from tests.systemd_line import SystemdLine


@pytest.fixture
def line() -> Iterator[SystemdLine]:
    with SystemdLine() as line:
        yield line


def notifier(line: SystemdLine, **environ: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": line.address, **environ})


def test_without_systemd_it_says_nothing_and_fails_at_nothing() -> None:
    systemd = Notifier({})
    systemd.starting()
    systemd.ready()
    systemd.status("idle")
    systemd.alive()
    systemd.stopping()
    assert systemd.watchdog_s is None


def test_a_service_tells_its_whole_life(line: SystemdLine) -> None:
    systemd = notifier(line)
    systemd.starting()
    systemd.ready()
    systemd.status("idle; registered")
    systemd.alive()
    systemd.stopping()
    assert line.heard() == [
        "STATUS=starting",
        "EXTEND_TIMEOUT_USEC=60000000",
        "READY=1",
        "STATUS=idle; registered",
        "WATCHDOG=1",
        "STOPPING=1",
        "STATUS=stopping",
    ]


def test_the_same_status_is_told_once(line: SystemdLine) -> None:
    systemd = notifier(line)
    for text in ("idle", "idle", "in_call", "idle"):
        systemd.status(text)
    assert line.heard() == ["STATUS=idle", "STATUS=in_call", "STATUS=idle"]


def test_a_status_is_one_short_line_and_no_other_assignment(line: SystemdLine) -> None:
    notifier(line).status("idle\nREADY=1 " + 300 * "x")
    (said,) = line.heard()
    assert said.startswith("STATUS=idle READY=1 x")
    assert len(said) == len("STATUS=") + STATUS_CHARS


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0intercom-test-{os.getpid()}")
        Notifier({"NOTIFY_SOCKET": f"@intercom-test-{os.getpid()}"}).ready()
        assert systemd.recv(100) == b"READY=1"


def test_a_child_process_gets_no_line_of_its_own(line: SystemdLine) -> None:
    environ = {"NOTIFY_SOCKET": line.address, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    Notifier(environ)
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"}, 20.0),
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0", "WATCHDOG_PID": "7"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_when_it_names_this_process(environ: dict[str, str], expected: float | None) -> None:
    assert Notifier(environ, pid=7).watchdog_s == expected


def test_a_message_that_systemd_has_no_room_for_is_dropped_and_a_status_told_again(line: SystemdLine) -> None:
    systemd = notifier(line)
    for number in range(2000):
        systemd.status(f"state {number}")
    assert "STATUS=state 1999" not in line.heard()
    systemd.status("state 1999")
    assert line.heard() == ["STATUS=state 1999"]


def test_after_its_end_it_says_nothing(line: SystemdLine) -> None:
    systemd = notifier(line)
    systemd.ready()
    systemd.close()
    systemd.alive()
    assert line.heard() == ["READY=1"]
