"""What a program prefers, for every call of a client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ClientPreferences:
    """Change them at any time; calls that are made afterwards follow."""

    user_variables: dict[str, Any] = field(default_factory=dict)
    """Sent along with every call; a call's own win."""
    ice_servers: Sequence[Mapping[str, Any]] | None = None
    """In place of what the service gives; W3C RTCIceServer."""
    relay_only: bool = False
    """Offer and use relayed candidates only: nobody learns our address. Calls need a TURN server then."""

    def reset(self) -> None:
        """Prefer nothing."""
        self.__init__()  # type: ignore[misc]  # the defaults stand in one place

    def choose_ice_servers(self, given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """What a peer connection is to use, of what the service gives."""
        servers = list(given if self.ice_servers is None else self.ice_servers)
        return [server for server in servers if not self.relay_only or is_turn(server)]


def is_turn(server: Mapping[str, Any]) -> bool:
    """Whether a W3C RTCIceServer relays."""
    urls = server.get("urls", ())
    return any(url.startswith("turn") for url in ([urls] if isinstance(urls, str) else urls))
