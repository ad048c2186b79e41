"""The embedded space: a local stand-in for the SignalWire service, so that a house works with no account."""

from intercom.space.credential import SpaceCredential
from intercom.space.errors import SpaceError
from intercom.space.membership import Membership
from intercom.space.pairing import Invitation
from intercom.space.space import Space

__all__ = ["Invitation", "Membership", "Space", "SpaceCredential", "SpaceError"]
