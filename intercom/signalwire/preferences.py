"""The program's preferences for every call of a client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ClientPreferences:
    """The preferences of a client; changes apply to later calls."""

    user_variables: dict[str, Any] = field(default_factory=dict)
    """Variables sent with every call; a call's own variables override them."""
    ice_servers: Sequence[Mapping[str, Any]] | None = None
    """ICE servers in place of the service's; W3C RTCIceServer."""
    receive_audio: bool = True
    """Whether to receive audio, in calls that do not say."""
    receive_video: bool = False
    """Whether to receive video, in calls whose program and address do not say."""
    relay_only: bool = False
    """Whether to offer and use only relayed candidates: nobody learns our address, and calls need a TURN server."""


def reset(preferences: ClientPreferences) -> None:
    """Reset all preferences."""
    ClientPreferences.__init__(preferences)


def choose_ice_servers(preferences: ClientPreferences, given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the ICE servers for a peer connection, from those of the service."""
    servers = list(given if preferences.ice_servers is None else preferences.ice_servers)
    return [server for server in servers if not preferences.relay_only or is_turn(server)]


def is_turn(server: Mapping[str, Any]) -> bool:
    """Return whether a W3C RTCIceServer is a TURN server."""
    urls = server.get("urls", ())
    return any(url.startswith("turn") for url in ([urls] if isinstance(urls, str) else urls))
