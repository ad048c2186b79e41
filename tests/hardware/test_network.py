"""The guest's link to the host's namespace: packets pass, stop and pass again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .guest import Guest
from .kernel import wish
from .network import HOST_ADDRESS, KERNEL_ARGUMENT, Network, NetworkUnavailableError

REACH = f"timeout 1 bash -c ': </dev/tcp/{HOST_ADDRESS}/9' 2>&1 | grep -q refused"
"""Nobody serves there, and only a host that is reached says so."""
REACHED = f"until {REACH}; do :; done"


@pytest.fixture(scope="module")
def network(bench_kernel: None) -> Iterator[Network]:
    try:
        with Network() as network:
            yield network
    except NetworkUnavailableError as reason:
        if wish() == "on":
            raise
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def guest(network: Network) -> Iterator[Guest]:
    with Guest(arguments=[KERNEL_ARGUMENT], namespace=network.namespace) as guest:
        yield guest


def test_packets_pass(guest: Guest) -> None:
    guest.run(REACHED).check()


def test_packets_stop_while_the_link_is_down_and_pass_again_when_it_is_up(guest: Guest, network: Network) -> None:
    network.down()
    assert guest.run(REACH).status != 0
    network.up()
    guest.run(REACHED).check()


def test_the_guest_may_take_its_own_link_down(guest: Guest) -> None:
    guest.run("ip link set vec0 down").check()
    assert guest.run(REACH).status != 0
    guest.run(f"ip link set vec0 up; ip route replace default via {HOST_ADDRESS}; {REACHED}").check()
