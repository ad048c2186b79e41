"""The network of a chaos run, inside a guest: the door's host on one end of a cable, the house on the other.

The house's end lies in a network namespace of its own, which the run and the space enter; the door stays outside.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

HOUSE = "10.88.0.1"
DOOR_ADDRESSES = ("10.88.0.2", "10.88.0.3")
OUTSIDE = ("nsenter", "--net=/proc/1/ns/net")
_CLONE_NEWNET = 0x40000000


class Cable:
    """The link between door and house."""

    def __init__(self) -> None:
        self._address = 0

    @property
    def door(self) -> str:
        """The door's address now."""
        return DOOR_ADDRESSES[self._address]

    def lay(self) -> None:
        """Make it, and put this process and all that it starts from now on into the house."""
        for command in (
            "ip link delete home0",
            "ip netns add house",
            "ip link add door0 type veth peer name house0 netns house",
            f"ip -n house address add {HOUSE}/24 dev house0",
            "ip -n house link set lo up",
            "ip -n house link set house0 up",
            f"ip address add {DOOR_ADDRESSES[0]}/24 dev door0",
            "ip link set door0 up",
        ):
            subprocess.run(command.split(), check=True)
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/run/netns/house").open() as house:
            if libc.setns(house.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def down(self) -> None:
        """Pull it out: both ends know."""
        _outside("ip link set door0 down")

    def up(self) -> None:
        """Put it in again."""
        _outside("ip link set door0 up")

    def lose(self, percent: int) -> None:
        """Lose so many of a hundred packets, both ways; nobody is told."""
        for run, device in ((_outside, "door0"), (_inside, "house0")):
            run(f"tc qdisc replace dev {device} root netem loss {percent}%")

    def carry(self) -> None:
        """Carry every packet again."""
        for run, device in ((_outside, "door0"), (_inside, "house0")):
            run(f"tc qdisc delete dev {device} root")

    def change_address(self) -> None:
        """Give the door its other address."""
        old, self._address = DOOR_ADDRESSES[self._address], 1 - self._address
        _outside(f"ip address delete {old}/24 dev door0")
        _outside(f"ip address add {DOOR_ADDRESSES[self._address]}/24 dev door0")


def _inside(command: str) -> None:
    subprocess.run(command.split(), check=True)


def _outside(command: str) -> None:
    subprocess.run([*OUTSIDE, *command.split()], check=True, env=os.environ)
