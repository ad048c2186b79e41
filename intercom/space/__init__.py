"""The embedded space: a local stand-in for the SignalWire service, so that a house works with no account.

What it offers is imported when somebody asks for it: the door's HTTP API uses the listener and the TLS of the space,
and has no use for the rest.

Begin with `space.py`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intercom.space.auth.credential import SpaceCredential
    from intercom.space.auth.membership import Membership
    from intercom.space.auth.pairing import Invitation
    from intercom.space.errors import NoSpaceError, SpaceError
    from intercom.space.space import Space
    from intercom.space.tls.trust import devices_learn_trust

__all__ = ["Invitation", "Membership", "NoSpaceError", "Space", "SpaceCredential", "SpaceError", "devices_learn_trust"]

_PLACES = {
    "Invitation": "auth.pairing",
    "Membership": "auth.membership",
    "NoSpaceError": "errors",
    "Space": "space",
    "SpaceCredential": "auth.credential",
    "SpaceError": "errors",
    "devices_learn_trust": "tls.trust",
}
"""Module of each name that the package offers."""


def __getattr__(name: str) -> Any:
    """Return what the package offers under this name."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
