"""The embedded space: a local stand-in for the SignalWire service, so that a house works with no account.

Begin with `space.py`.
"""

from intercom.space.auth.credential import SpaceCredential
from intercom.space.auth.membership import Membership
from intercom.space.auth.pairing import Invitation
from intercom.space.errors import NoSpaceError, SpaceError
from intercom.space.space import Space
from intercom.space.tls.trust import devices_learn_trust

__all__ = ["Invitation", "Membership", "NoSpaceError", "Space", "SpaceCredential", "SpaceError", "devices_learn_trust"]
