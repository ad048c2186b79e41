"""The options of a client."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import intercom
from intercom.signalwire.account.http import RequestJson, request_json
from intercom.signalwire.link.reconnect import LONGEST_DELAY_S
from intercom.signalwire.link.transport import Connector, open_websocket


@dataclass(frozen=True)
class Options:
    """The options of a client; the defaults suit a door and a script."""

    relay_url: str = ""
    """Relay URL, wss://…; overrides the credential's."""
    api_url: str = ""
    """API URL, https://…; overrides the credential's."""
    agent: str = f"intercom/{intercom.__version__}"
    """Name of the client for the service."""
    others_may_mute: bool = True
    """Whether other members of a call may mute us, and change how loud we play them; the embedded space asks."""
    connect_timeout_s: float | None = None
    """Time limit of connect(); None: no limit."""
    longest_delay_s: float = LONGEST_DELAY_S
    """Longest retry interval; less for one's own service."""
    watch_network: bool = True
    """Whether to reconnect at once when this machine gets a network address; needs AF_NETLINK."""
    client_bound: bool = True
    """Whether to bind the token to this device if its scope allows (`sat:refresh`)."""
    take_up_calls: bool = True
    """Whether to resume calls of an earlier process that the service still holds; False ends them."""
    connector: Connector = open_websocket
    """Function that opens sockets."""
    request_json: RequestJson = request_json
    """Function that makes HTTP calls."""
    random: Callable[[], float] = random.random
    """Source of the retry jitter, in [0, 1); no secret depends on it."""
