"""The embedded space: a local stand-in for the SignalWire service, so that a house works with no account.

Begin with `space.py`.
"""

from intercom.space.auth.credential import SpaceCredential
from intercom.space.auth.membership import Membership
from intercom.space.auth.pairing import Invitation
from intercom.space.errors import SpaceError
from intercom.space.space import Space

__all__ = ["Invitation", "Membership", "Space", "SpaceCredential", "SpaceError"]
