"""A network of the bench's own: a namespace on the host with a TAP device that the guest's `vec0` is tied to.

The host's side is 10.77.0.1 and the guest 10.77.0.2; nothing reaches any other network. Needs root.
"""

from __future__ import annotations

import subprocess
from types import TracebackType

HOST_ADDRESS = "10.77.0.1"
GUEST_ADDRESS = "10.77.0.2"
TAP = "tap0"
# Without gro=1 the guest's driver loses packets that the host has merged.
KERNEL_ARGUMENT = f"vec0:transport=tap,ifname={TAP},gro=1"


class NetworkUnavailableError(RuntimeError):
    """This machine makes no network namespace or no TAP device; the text says why."""


class Network:
    """A namespace with one link into it; leaving its context removes both."""

    def __init__(self, namespace: str = "intercom-bench") -> None:
        self.namespace = namespace

    def __enter__(self) -> Network:
        try:
            _ip("netns", "add", self.namespace)
            self.ip("tuntap", "add", TAP, "mode", "tap")
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise NetworkUnavailableError(f"no network of its own without root and /dev/net/tun: {said}") from error
        self.ip("link", "set", "lo", "up")
        self.ip("address", "add", f"{HOST_ADDRESS}/24", "dev", TAP)
        self.ip("link", "set", TAP, "up")
        # So that the blackhole of `down` takes what the guest sends as well as what is sent to it.
        strict = self.command("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")
        subprocess.run(strict, check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ip("netns", "delete", self.namespace)

    def up(self) -> None:
        """Let packets pass again."""
        self.ip("route", "del", "blackhole", f"{GUEST_ADDRESS}/32")

    def down(self) -> None:
        """Lose every packet both ways, as with an access point that is switched off: no one is told."""
        self.ip("route", "add", "blackhole", f"{GUEST_ADDRESS}/32")

    def ip(self, *arguments: str) -> str:
        """Run `ip` in the namespace and return what it printed."""
        return _ip("-n", self.namespace, *arguments)

    def command(self, *command: str) -> list[str]:
        """Return `command` so that it runs inside the namespace."""
        return ["ip", "netns", "exec", self.namespace, *command]


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout
