"""A whole Debian 13 with systemd as PID 1 boots on the bench kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .boot import Machine
from .guest import Guest


@pytest.fixture(scope="module")
def machine(whole_machine: None) -> Iterator[Guest]:
    with Machine() as machine:
        yield machine


def test_systemd_starts_everything(machine: Guest) -> None:
    ended = machine.run("systemctl is-system-running --wait; systemctl --failed --no-legend", limit_s=300)
    assert ended.output.split() == ["running"]


def test_what_the_project_depends_on_is_there(machine: Guest) -> None:
    machine.run("/opt/intercom/bin/python -c 'import aiortc, alsaaudio, gpiozero, msgspec'").check()


def test_the_checkout_is_there_and_read_only(machine: Guest) -> None:
    machine.run("test -f /checkout/pyproject.toml && ! touch /checkout/new").check()


def test_a_sandbox_keeps_a_unit_from_a_device(machine: Guest) -> None:
    """DevicePolicy= is a BPF program in the kernel: without it the unit's hardening would be only a word."""
    closed = "systemd-run --quiet --pipe --wait -p DevicePolicy=closed head -c 1 /dev/watchdog0"
    assert "Operation not permitted" in machine.run(closed).output
