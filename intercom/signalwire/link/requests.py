"""Sends requests over a link, and hands each answer to whoever waits for it (protocol.md §3)."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from intercom.signalwire.errors import NotConnectedError
from intercom.signalwire.wire.session import RPC_TIMEOUT_S, Session


class LinkRequests(ABC):
    """The requests of one session, each with the future of its result."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._futures: dict[str, asyncio.Future[Any]] = {}

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether the link keeps a connection."""

    @abstractmethod
    def _pump(self) -> None:
        """Send the session's frames, and pass on its events."""

    def submit(
        self,
        method: str,
        params: Struct | Mapping[str, Any],
        *,
        timeout_s: float = RPC_TIMEOUT_S,
        idempotent: bool = False,
    ) -> tuple[str, asyncio.Future[Any]]:
        """Send a request at once; return its id and the future of its result."""
        if not self.running:
            raise NotConnectedError(f"{method} needs a connection; call connect() first.")
        request_id = self.session.request(method, params, self._now(), timeout_s=timeout_s, idempotent=idempotent)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._futures[request_id] = future
        self._pump()
        return request_id, future

    async def execute(
        self,
        method: str,
        params: Struct | Mapping[str, Any],
        *,
        timeout_s: float = RPC_TIMEOUT_S,
        idempotent: bool = False,
    ) -> Any:
        """Send a request and return its result as builtins.

        Raises `RpcError`, `RpcTimeoutError`, `TransportError` (lost with the socket) or `NotConnectedError`.
        """
        request_id, future = self.submit(method, params, timeout_s=timeout_s, idempotent=idempotent)
        try:
            return await future
        finally:
            self._futures.pop(request_id, None)
            self.session.cancel(request_id)

    def cancel(self, request_id: str) -> bool:
        """Cancel a request; return whether it was still unsent, otherwise it goes on."""
        if not self.session.waiting(request_id):
            return False
        self._futures.pop(request_id).cancel()
        return self.session.cancel(request_id)

    def _drop_requests(self) -> None:
        """Fail all requests: no answers will come."""
        for request_id, future in list(self._futures.items()):
            self.session.cancel(request_id)
            if not future.done():
                future.set_exception(NotConnectedError("The client was disconnected."))
        self._futures.clear()

    def _conclude(self, request_id: str, finish: Callable[[asyncio.Future[Any]], None]) -> None:
        future = self._futures.pop(request_id, None)
        if future is not None and not future.done():
            finish(future)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
