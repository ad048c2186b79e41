"""Carries out the commands of the running door, for whoever asks by whatever way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from intercom.control.errors import RefusedError
from intercom.control.protocol import INTERNAL_ERROR, METHOD_NOT_FOUND

logger = logging.getLogger(__name__)

ANSWER_S = 10.0
"""Limit of a command's answer: one that takes longer must answer first and go on afterwards."""


class Asker(Protocol):
    """Whoever asks for a command."""

    @property
    def name(self) -> str:
        """Return their name, safe to show."""


Handler = Callable[[Asker, Mapping[str, Any]], Awaitable[Any]]
"""Handler of one command: RefusedError tells the asker why it refuses; the result must be JSON."""


class Commands:
    """Carries out commands by their handlers."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)

    def offer(self, command: str, handler: Handler) -> Callable[[], None]:
        """Carry out one more command; return the function that ends this."""
        self._handlers[command] = handler
        return lambda: self._withdraw(command, handler)

    def _withdraw(self, command: str, handler: Handler) -> None:
        if self._handlers.get(command) is handler:
            del self._handlers[command]

    async def ask(self, asker: Asker, command: str, params: Mapping[str, Any]) -> Any:
        """Return the answer to a command; raises RefusedError, which says why there is none."""
        handler = self._handlers.get(command)
        if handler is None:
            raise RefusedError(f"there is no command {command[:40]!r} in this version", METHOD_NOT_FOUND)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await handler(asker, params)
        except RefusedError:
            raise
        except Exception as error:
            logger.exception("The command %s failed", command)
            message = f"{command} failed ({type(error).__name__}); the log says more"
            raise RefusedError(message, INTERNAL_ERROR) from error
