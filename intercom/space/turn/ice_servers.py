"""Gives each client its ICE servers: the space's own TURN server, or somebody else's."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import Final

from intercom.config import SpaceConfig
from intercom.signalwire.wire.messages import IceServer
from intercom.space.store.records import Subscriber
from intercom.space.switch.calls.sdp import is_reference
from intercom.space.turn.coturn import TurnServer
from intercom.space.turn.credentials import LIFETIME_S, ice_server, turn_secret

logger = logging.getLogger(__name__)

TOKENS_LONG: Final = 2
"""Lifetime of a password in lifetimes of an access token, for a client that gets new passwords with each token."""


class IceServers:
    """The ICE servers of the space's clients.

    :param server: the TURN server that the space runs; None while there is none.
    :param wall: the time of day, seconds since 1970.
    Raises `SpaceConfigError` when the secret of `turn_url` cannot be read.
    """

    def __init__(
        self, config: SpaceConfig, server: Callable[[], TurnServer | None], *, wall: Callable[[], float]
    ) -> None:
        self._config = config
        self._server = server
        self._secret = turn_secret(config)
        self._wall = wall

    def of(self, subscriber: Subscriber, agent: str) -> list[IceServer]:
        """Return a client's ICE servers; one that gets new passwords with each new token gets short-lived ones."""
        short_s = min(LIFETIME_S, TOKENS_LONG * self._config.token_lifetime_s)
        lifetime_s = LIFETIME_S if is_reference(agent) else short_s
        turn = self._server()
        if turn is not None:
            try:
                return [turn.ice_server(subscriber.id, self._wall(), lifetime_s)]
            except sqlite3.Error as problem:
                logger.warning("No password for the TURN server can be made: %s", problem)
                return []
        url = self._config.turn_url
        return [ice_server(url, self._secret, subscriber.id, self._wall(), lifetime_s)] if url else []
