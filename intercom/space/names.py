"""Finds this machine's names and addresses, for its certificate, for Host checks and for the URLs in its answers."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ifaddr

logger = logging.getLogger(__name__)

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_ADDRESS_GROUPS: Final = 0x10 | 0x100
"""Netlink groups that report IPv4 and IPv6 addresses (linux/rtnetlink.h)."""
SETTLE_S: Final = 0.3
"""Time to wait for further changes after one: the kernel first checks a new IPv6 address for a duplicate."""
POLL_S: Final = 10.0
"""Poll interval where netlink is not available."""
_TEMPORARY: Final = 0x01
"""Flag of a temporary address: IFA_F_TEMPORARY of linux/if_addr.h."""
_MESSAGE_LIMIT_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Names:
    """The machine's names and addresses, for the certificate and for checking Host headers."""

    hosts: tuple[str, ...]
    "DNS names, lower case; *.localhost covers every name under it."
    addresses: tuple[IPAddress, ...]
    "IP addresses."

    def include(self, host: str) -> bool:
        """Return whether `host` (without port and brackets) is one of these."""
        host = host.lower().rstrip(".")
        try:
            return ipaddress.ip_address(host) in self.addresses
        except ValueError:
            return host in self.hosts or host.endswith(".localhost")

    @property
    def lasting_addresses(self) -> tuple[IPAddress, ...]:
        """The addresses for a certificate, without those of a provider's IPv6 prefix, which may change daily.

        Each new certificate is one that people trust by hand anew.
        """
        lasting = [ip for ip in self.addresses if ip.version == 4 or not ip.is_global]
        return tuple(lasting) if any(not ip.is_loopback for ip in lasting) else self.addresses


def loopback_names(more: Iterable[str] = ()) -> Names:
    """Return the names by which a machine reaches only itself (RFC 6761 §6.3), and `more`."""
    return _names(["localhost", "*.localhost", "127.0.0.1", "::1", *more])


def network_names(more: Iterable[str] = (), addresses: Iterable[str] | None = None) -> Names:
    """Return the names by which the house reaches this machine: loopback, host name, its addresses, and `more`."""
    own = socket.gethostname().lower()
    found = interface_addresses() if addresses is None else addresses
    return _names(
        ["localhost", "*.localhost", "127.0.0.1", "::1", own, own if "." in own else f"{own}.local", *more, *found]
    )


def interface_addresses() -> list[str]:
    """Return the addresses of this machine that others can reach for longer than a day."""
    temporary = _temporary_addresses()
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not address.is_link_local and address not in temporary:
                found.append(text)
    return found


class AddressWatch:
    """Calls `on_change` when this machine gains or loses an address, or every few seconds where netlink is absent."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Listen on the running loop."""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
            self._socket.bind((0, _ADDRESS_GROUPS))
        except (OSError, AttributeError) as problem:
            logger.debug("Changes of addresses are not told: %s", problem)
            self.stop()
            self._wait(POLL_S)
        else:
            asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def stop(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _readable(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(OSError):  # drained; or more was told than the kernel kept, which is a change too
            while self._socket.recv(_MESSAGE_LIMIT_BYTES):
                pass
        if self._timer is None:
            self._wait(SETTLE_S)

    def _wait(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._on_change()
        if self._socket is None:
            self._wait(POLL_S)


def _names(candidates: Iterable[str]) -> Names:
    hosts: list[str] = []
    addresses: list[IPAddress] = []
    for name in candidates:
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            hosts.append(name.lower())
    return Names(tuple(dict.fromkeys(hosts)), tuple(dict.fromkeys(addresses)))


def _temporary_addresses() -> set[IPAddress]:
    """Return the kernel's one-day IPv6 privacy addresses (RFC 8981), which the space never hands out."""
    try:
        lines = Path("/proc/self/net/if_inet6").read_text(encoding="ascii").splitlines()
    except OSError:
        return set()
    fields = [line.split() for line in lines]
    return {ipaddress.IPv6Address(bytes.fromhex(field[0])) for field in fields if int(field[4], 16) & _TEMPORARY}
