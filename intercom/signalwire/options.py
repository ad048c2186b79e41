"""How a client behaves, where its credential does not say."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import intercom
from intercom.signalwire.http import RequestJson, request_json
from intercom.signalwire.reconnect import LONGEST_DELAY_S
from intercom.signalwire.transport import Connector, open_websocket


@dataclass(frozen=True)
class Options:
    """Everything about a client that can be chosen; the defaults suit a door and a script."""

    relay_url: str = ""
    """wss://…; wins over what the credential says."""
    api_url: str = ""
    """https://…; wins over what the credential says."""
    agent: str = f"intercom/{intercom.__version__}"
    """What the client calls itself."""
    connect_timeout_s: float | None = None
    """How long connect() is patient; None: as long as it takes."""
    longest_delay_s: float = LONGEST_DELAY_S
    """The longest pause between two attempts to connect; less for a service that is one's own."""
    watch_network: bool = True
    """Try at once when this machine gets a network address; needs AF_NETLINK."""
    client_bound: bool = True
    """Bind the token to this device where its scope allows it (`sat:refresh`)."""
    take_up_calls: bool = True
    """Go on with calls of an earlier process that the service still holds; False ends them."""
    connector: Connector = open_websocket
    """Opens sockets."""
    request_json: RequestJson = request_json
    """Does HTTP calls."""
    random: Callable[[], float] = random.random
    """Jitter, in [0, 1); no secret depends on it."""
