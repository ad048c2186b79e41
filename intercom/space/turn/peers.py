"""Finds the addresses that a relay may reach: those from which the doors are connected."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from intercom.space.names import IPAddress


def peers_of(doors: Iterable[str], own: Iterable[str]) -> set[IPAddress]:
    """Return the addresses that reach the doors connected from these; `own` are this machine's addresses.

    What a door itself says of its addresses does not count: it could name the router. A door on this machine is reached
    at any of the machine's.
    """
    mine = {ip for ip in map(ipaddress.ip_address, own) if not ip.is_loopback}
    peers: set[IPAddress] = set()
    for text in doors:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if address.is_loopback or address in mine:
            peers |= mine
        elif not (address.is_link_local or address.is_multicast or address.is_unspecified):
            peers.add(address)
    return peers
