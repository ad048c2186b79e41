"""Sends requests over a link, and hands each answer to whoever waits for it (protocol.md §3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from intercom.signalwire.errors import NotConnectedError
from intercom.signalwire.wire.events import RequestAnswered, RequestFailed
from intercom.signalwire.wire.session import RPC_TIMEOUT_S, Session


class LinkRequests:
    """The requests of one session, each with the future of its result.

    `running` tells whether the link keeps a connection; `pump` sends the session's frames and passes on its events.
    """

    def __init__(self, session: Session, *, running: Callable[[], bool], pump: Callable[[], None]) -> None:
        self._session = session
        self._running = running
        self._pump = pump
        self._futures: dict[str, asyncio.Future[Any]] = {}

    def submit(
        self,
        method: str,
        params: Struct | Mapping[str, Any],
        *,
        timeout_s: float = RPC_TIMEOUT_S,
        idempotent: bool = False,
    ) -> tuple[str, asyncio.Future[Any]]:
        """Send a request at once; return its id and the future of its result."""
        if not self._running():
            raise NotConnectedError(f"{method} needs a connection; call connect() first.")
        request_id = self._session.request(
            method, params, asyncio.get_running_loop().time(), timeout_s=timeout_s, idempotent=idempotent
        )
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
            self._session.cancel(request_id)

    def cancel(self, request_id: str) -> bool:
        """Cancel a request; return whether it was still unsent, otherwise it goes on."""
        if not self._session.waiting(request_id):
            return False
        self._futures.pop(request_id).cancel()
        return self._session.cancel(request_id)

    def drop(self) -> None:
        """Fail all requests: no answers will come."""
        for request_id, future in list(self._futures.items()):
            self._session.cancel(request_id)
            if not future.done():
                future.set_exception(NotConnectedError("The client was disconnected."))
        self._futures.clear()

    def conclude(self, event: RequestAnswered | RequestFailed) -> None:
        """Hand the end of a request to whoever waits for it."""
        future = self._futures.pop(event.id, None)
        if future is None or future.done():
            return
        if isinstance(event, RequestAnswered):
            future.set_result(event.result)
        else:
            future.set_exception(event.error)
