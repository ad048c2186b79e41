"""Connects to push services: to public addresses alone, and with a thread of its own for names that answer late."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from intercom.space.push.services import PushServices

LOOKUPS: Final = 4
"""Limit of names that are looked up at once; the house's phones use three or four services."""
CONNECTIONS_TO_ONE: Final = 8
"""Limit of connections to one service: the phones of a house share it, and others wait for none."""
KEPT_S: Final = 30.0
"""Time for which an idle connection is kept: the notice that a ring is over follows its ring."""


class PrivateAddressError(OSError):
    """A push service's name leads into a network that is not the internet."""


class PublicResolver(AbstractResolver):
    """Looks a push service's name up, and returns only addresses that may be connected to."""

    def __init__(self, services: PushServices) -> None:
        self._services = services
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="push-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `PrivateAddressError` when it has none of the internet."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _addresses, host, port, family)
        public = [place for place in found if self._services.may_connect(host, port, place["host"])]
        if not public:
            raise PrivateAddressError(f"{host} has no address in the internet")
        return public

    async def close(self) -> None:
        """Let go of the threads, without waiting for a name that never answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def connector(services: PushServices) -> aiohttp.TCPConnector:
    """Return the connector for all pushes."""
    return aiohttp.TCPConnector(
        resolver=PublicResolver(services),
        limit=0,  # what goes on at once is limited by whoever sends (`sender.py`)
        limit_per_host=CONNECTIONS_TO_ONE,
        keepalive_timeout=KEPT_S,
    )


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(address[1]),
            family=kind,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, protocol, _, address in found
    ]
