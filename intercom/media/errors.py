"""The errors that the media part raises.

MediaError
├── CardError (OSError)               a sound card cannot be opened or does not do what is needed
│   ├── CardBusyError                 another program uses it
│   └── CardAbsentError               none is plugged in that could be used
├── ToneError (ValueError)            a tone has no such name, or its file cannot be played
├── SpeechError                       a sentence cannot be spoken
├── CodecError (ValueError)           bytes that are no packet of their codec
├── SessionDescriptionError (ValueError)   an offer or answer that cannot be used
├── NoRelayError (ConnectionError)    a call is to keep to relays, and none is to be had
├── EngineStuckError (RuntimeError)   the audio thread died, and its device does not let it end
├── ViewRefusedError                  nobody can see through the camera now, or not in this way
└── CallEndedError (RuntimeError)     the call was closed already, or connecting took too long
"""

from __future__ import annotations


class MediaError(Exception):
    """Base class of the errors of sound and picture."""


class CardError(MediaError, OSError):
    """A sound card cannot be opened, or lacks a needed ability."""


class CardBusyError(CardError):
    """Another program uses the sound card."""


class CardAbsentError(CardError):
    """No sound card is plugged in that could be used."""


class ToneError(MediaError, ValueError):
    """The name is of no tone, or the tone's file cannot be played."""


class SpeechError(MediaError):
    """The sentence cannot be spoken; the message says why."""


class CodecError(MediaError, ValueError):
    """The bytes are no packet of their codec."""


class SessionDescriptionError(MediaError, ValueError):
    """The offer or answer cannot be used; the message says why."""


class NoRelayError(MediaError, ConnectionError):
    """The call may use relays only, and no TURN server gave one."""


class EngineStuckError(MediaError, RuntimeError):
    """The audio thread died, and its device does not let it end."""


class ViewRefusedError(MediaError):
    """The picture that somebody asked for is not sent; `reason` is a word for programs, the message a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CallEndedError(MediaError, RuntimeError):
    """The call was closed already."""
