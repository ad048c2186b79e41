"""Hosts, ports and addresses as text: the one place that splits and joins "host:port"."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from typing import Final

_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\.?")
_HOUSE_DOMAINS: Final = (".local", ".home.arpa", ".internal", ".lan")
"""Domains that mean something in one house alone: RFC 6762 and 8375, ICANN's .internal, and what many routers use."""
_LOCAL_NETWORK_BITS: Final = 64
"""Prefix length of IPv6 that counts as one machine: whoever has one address has the whole network (RFC 4291 §2.5.4)."""


def split_listen(text: str) -> tuple[str, int]:
    """Split "host:port" or "[v6 address]:port" into host and port.

    Raises ValueError if it is neither. Port 0 lets the system choose one.
    """
    host, port = split_authority(text)
    if port is None:
        raise ValueError(f"no port from 0 to 65535 in {text!r}")
    return host, port


def split_authority(text: str) -> tuple[str, int | None]:
    """Split a URL's "host", "host:port" or "[v6 address]:port" into the host and the port, if any (RFC 3986 §3.2).

    Raises ValueError if it is none of these.
    """
    host, colon, digits = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, digits = text, ""
    elif not re.fullmatch(r"[0-9]{1,5}", digits) or int(digits) > 65535:
        raise ValueError(f"no port from 0 to 65535 in {text!r}")
    bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if bracketed else host
    if not (_is_v6(name) if bracketed else is_host(name)):
        raise ValueError(f"no host in {text!r}")
    return name, int(digits) if digits else None


def authority(host: str, port: int | None = None) -> str:
    """Join host and port to the "host:port" of a URL; an IPv6 address gets brackets."""
    written = f"[{host}]" if ":" in host else host
    return written if port is None else f"{written}:{port}"


def is_host(text: str) -> bool:
    """Return whether a text is a host name or an IPv4 address."""
    if re.fullmatch(r"[0-9.]+", text):
        try:
            ipaddress.IPv4Address(text)
        except ValueError:
            return False
    return _HOST.fullmatch(text) is not None


def is_host_or_address(text: str) -> bool:
    """Return whether a text is a host name or an IP address of either version."""
    return _is_v6(text) or is_host(text)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address of either version."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether a server on this host is reachable from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return _is_localhost(host)


def is_of_the_house(host: str) -> bool:
    """Return whether a host can mean something only in this network: what is sent there stays in the house."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith((".localhost", *_HOUSE_DOMAINS))


def dialled(host: str) -> tuple[str, ...]:
    """Return the names to look up in order to reach `host`: this machine's own addresses for its own name.

    RFC 6761 §6.3 asks for it, and a machine without /etc/hosts or an address of its own yet finds no "localhost".
    """
    return ("127.0.0.1", "::1") if _is_localhost(host) else (host,)


def connect(
    address: tuple[str, int], timeout_s: float | None = None, source: tuple[str, int] | None = None
) -> socket.socket:
    """Connect as socket.create_connection does, to this machine without looking up its name; raises OSError."""
    host, port = address
    *others, last = dialled(host)
    for other in others:
        with contextlib.suppress(OSError):
            return socket.create_connection((other, port), timeout_s, source)
    return socket.create_connection((last, port), timeout_s, source)


def is_unspecified(host: str) -> bool:
    """Return whether a server on this host is reachable at every address of the machine."""
    return host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not listened on


def machine_of(address: str) -> str:
    """Return the key by which machines are counted for an IP address: the address, or its IPv6 network."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, _LOCAL_NETWORK_BITS), strict=False))
    return str(ip)


def _is_localhost(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _is_v6(text: str) -> bool:
    try:
        return ":" in text and bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False
