"""A street in network namespaces: the door's house front, a router that may fail, and the house with its space.

    door ── cable (10.78.1.0/24) ──┐
      └──── wifi  (10.78.2.0/24) ──┤ router ── 10.78.9.0/24 ── house

Nothing reaches any other network. Needs root.
"""

from __future__ import annotations

import os
import subprocess
from types import TracebackType
from typing import Literal

Way = Literal["cable", "wifi"]

HOUSE = "10.78.9.2"
SUBNETS: dict[str, str] = {"cable": "10.78.1", "wifi": "10.78.2", "house": "10.78.9"}
"""The router has .1 in each."""
DOOR = f"{SUBNETS['cable']}.2"
DELAY = ("delay", "10ms", "2ms", "distribution", "normal")
"""Each way, where the kernel has netem: what Wi-Fi and a switch add."""


class NamespacesUnavailableError(RuntimeError):
    """This machine makes no network namespaces; the text says why."""


class Street:
    """Three namespaces and the links between them; leaving its context removes all."""

    def __init__(self) -> None:
        self._name = f"ic{os.getpid()}"
        self.has_netem = False
        """Whether the kernel could add delay to the links."""

    @property
    def door(self) -> str:
        """The door's namespace."""
        return f"{self._name}-door"

    @property
    def house(self) -> str:
        """The space's and the residents' namespace."""
        return f"{self._name}-house"

    @property
    def router(self) -> str:
        """What lies between them."""
        return f"{self._name}-router"

    def __enter__(self) -> Street:
        if os.geteuid() != 0:
            raise NamespacesUnavailableError("network namespaces need root; run it with sudo")
        try:
            for namespace in (self.door, self.router, self.house):
                _ip("netns", "add", namespace)
                _ip("-n", namespace, "link", "set", "lo", "up")
            for way in ("cable", "wifi"):
                self._link(self.door, way)
            self._link(self.house, "house")
            self.forward(True)
        except (OSError, subprocess.CalledProcessError) as error:
            self._remove()
            said = getattr(error, "stderr", "") or str(error)
            raise NamespacesUnavailableError(f"this machine makes no network namespaces: {said}") from error
        self.has_netem = self._add_delay()
        self.join("house", self.house)
        self.join("cable", self.door)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def command(self, namespace: str, *command: str) -> list[str]:
        """`command`, so that it runs inside a namespace."""
        return ["ip", "netns", "exec", namespace, *command]

    # -- what may happen to a network ----------------------------------------------------------------------

    def forward(self, on: bool) -> None:
        """Let the router pass packets, or lose them all without a word to anybody."""
        command = self.command(self.router, "sysctl", "-qw", f"net.ipv4.ip_forward={int(on)}")
        subprocess.run(command, check=True, capture_output=True, text=True)

    def plug(self, way: Way, plugged: bool) -> None:
        """Pull a link at the router's end, or push it in: the door sees the carrier go and come."""
        _ip("-n", self.router, "link", "set", f"r-{way}", "up" if plugged else "down")

    def join(self, link: str, namespace: str) -> None:
        """Get an address on a link, and the way out over it; as after DHCP."""
        subnet = SUBNETS[link]
        _ip("-n", namespace, "link", "set", link, "up")
        _ip("-n", namespace, "address", "replace", f"{subnet}.2/24", "dev", link)
        _ip("-n", namespace, "route", "replace", "default", "via", f"{subnet}.1", "dev", link)

    def leave(self, way: Way) -> None:
        """Lose the address on a link, and the way out with it."""
        _ip("-n", self.door, "address", "flush", "dev", way)

    def at_home(self) -> bool:
        """Whether the door has the cable's address that it began with, and no other."""
        listed = _ip("-n", self.door, "-o", "-4", "address", "show", "scope", "global")
        return [line.split()[3] for line in listed.splitlines()] == [f"{DOOR}/24"]

    def renumber(self, way: Way, host: int) -> None:
        """Another address on the same link, as when a lease is not renewed."""
        self.leave(way)
        subnet = SUBNETS[way]
        _ip("-n", self.door, "address", "add", f"{subnet}.{host}/24", "dev", way)
        _ip("-n", self.door, "route", "replace", "default", "via", f"{subnet}.1", "dev", way)

    def spoil(self, netem: str) -> None:
        """Do this to what passes each link, as tc-netem(8) says it; "": only what the street does anyway."""
        for name in SUBNETS:
            command = ("tc", "qdisc", "replace", "dev", f"r-{name}", "root", "netem", *(netem.split() or DELAY))
            subprocess.run(self.command(self.router, *command), check=True, capture_output=True, text=True)

    def swallow(self, protocol: Literal["udp", "tcp"], swallowed: bool, *, but_port: int = 0) -> None:
        """Lose what the router would pass of one protocol, but for what goes to or comes from one port."""
        action = "add" if swallowed else "del"
        if but_port:
            for end in ("sport", "dport"):
                kept = ("pref", "9", "ipproto", protocol, end, str(but_port), "lookup", "main")
                _ip("-n", self.router, "rule", action, *kept)
        _ip("-n", self.router, "rule", action, "pref", "10", "ipproto", protocol, "blackhole")

    # -- making and removing -------------------------------------------------------------------------------

    def _link(self, namespace: str, name: str) -> None:
        ends = ["link", "add", name, "netns", namespace, "type", "veth", "peer", "name", f"r-{name}"]
        _ip(*ends, "netns", self.router)
        _ip("-n", self.router, "address", "add", f"{SUBNETS[name]}.1/24", "dev", f"r-{name}")
        _ip("-n", self.router, "link", "set", f"r-{name}", "up")

    def _add_delay(self) -> bool:
        try:
            self.spoil("")
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def _remove(self) -> None:
        for namespace in (self.door, self.router, self.house):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout
