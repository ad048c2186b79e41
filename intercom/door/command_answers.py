"""The answers of the commands, as far as they are short: what the API's document says of them."""

from __future__ import annotations

from msgspec import Struct


class Calling(Struct):
    """The door calls."""

    calling: str
    "the address, or `nobody at this time`"


class AnsweredCall(Struct):
    """The door has answered."""

    answered: bool


class EndedCall(Struct):
    """The call ends."""

    ended: bool


class SentKeys(Struct):
    """The keys went to the far end."""

    sent: int
    "how many"


class Said(Struct):
    """The door speaks."""

    said: str
    "the sentence"


class SwitchedOn(Struct):
    """Whether it is on now."""

    on: bool


class Muted(Struct):
    """What is muted, or no longer."""

    what: str
    muted: bool


class LevelOf(Struct):
    """A level."""

    what: str
    gain_db: float


class CameraState(Struct):
    """Whether the camera may run, and does."""

    forbidden_by: list[str]
    running: bool


class Picture(Struct):
    """A picture."""

    jpeg: str
    "in base64"
    at: str


class Opened(Struct):
    """The door is open."""

    open_s: float
    "for so long"


class FaultOf(Struct):
    """Something that is broken, or was."""

    kind: str
    why: str
    since: str
    lasted_s: float
    open: bool


class MessageAtDoor(Struct):
    """A visitor's message that is kept at the door."""

    id: str
    began_at: str
    seconds: int
    bytes: int


class PieceOfMessage(MessageAtDoor):
    """A piece of a message."""

    data: str
    "in base64"


class DeletedMessage(Struct):
    """The message is gone."""

    deleted: str
    "its id"


class Restarting(Struct):
    """The door station restarts."""

    restarting: bool
