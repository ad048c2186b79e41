"""The errors that the embedded space raises.

SpaceError
├── StoreError (OSError)            the state directory or its database cannot be used
├── SpaceConfigError (ValueError)   a setting of the space contradicts itself or the machine
├── CertificateError (ValueError)   the owner's certificate cannot be used
├── TokenError (PermissionError)    a token, proof or secret is not valid
├── PairingError (PermissionError)  a pairing code is unknown, used or too old
│   └── ClaimedError                another device is just joining with the code
├── BadBodyError (ValueError)       a request's body cannot be read; the sender is told
├── SubscriptionError (ValueError)  a push subscription that the space does not take; the sender is told
├── AddressError (LookupError)      no such subscriber or address
├── ViewerError (ValueError)        a viewer that cannot be added, or is not there
├── ViewRefusedError (PermissionError) a door does not let a viewer look
├── DoorError (ValueError)          a door would be thrown out unasked
├── NoSpaceError (FileNotFoundError) no space in the state directory, or none runs
├── RefusedError (ValueError)       a Verto message that cannot be obeyed; the sender is told
└── TurnError (RuntimeError)        the TURN companion does not run
"""

from __future__ import annotations


class SpaceError(Exception):
    """The root of every error that the embedded space raises."""


class StoreError(SpaceError, OSError):
    """The state directory or its database cannot be used."""


class SpaceConfigError(SpaceError, ValueError):
    """A setting of the space contradicts itself or the machine."""


class CertificateError(SpaceError, ValueError):
    """The owner's certificate and key cannot be used."""


class TokenError(SpaceError, PermissionError):
    """A token, proof or secret is invalid."""


class PairingError(SpaceError, PermissionError):
    """A pairing code is unknown, used or too old."""


class ClaimedError(PairingError):
    """Another device is just joining with this pairing code."""


class BadBodyError(SpaceError, ValueError):
    """A request's body cannot be read; the sender is told."""


class SubscriptionError(SpaceError, ValueError):
    """A push subscription is none, or names no push service; the error's text goes back to the sender."""


class AddressError(SpaceError, LookupError):
    """No subscriber or address has this name."""


class ViewerError(SpaceError, ValueError):
    """A viewer cannot be added, or there is none of this name."""


class ViewRefusedError(SpaceError, PermissionError):
    """A door does not let a viewer look; its reason is a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The view was refused: {reason}.")
        self.reason = reason
        """Why, in a word of the door."""


class DoorError(SpaceError, ValueError):
    """The command would remove a door, and the caller has not confirmed it."""


class NoSpaceError(SpaceError, FileNotFoundError):
    """There is no space in the state directory, or none runs."""


class RefusedError(SpaceError, ValueError):
    """A Verto message cannot be carried out; the error's text goes back to the sender."""


class TurnError(SpaceError, RuntimeError):
    """The TURN companion is not running."""
