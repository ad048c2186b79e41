"""The table of the running door's commands: what each takes and answers, and which other systems may ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intercom.control.roles import PROGRAM_ROLES
from intercom.door import command_answers as answers
from intercom.door import command_parameters as takes
from intercom.history.call_log import CallRecord
from intercom.integrations.access import Command

VIEWER, OPERATOR, OPENER = PROGRAM_ROLES
NOBODY = ""
"""Role of a command that no other system may ask for."""
DOCUMENT = dict[str, Any]
"""An answer that docs/commands.md describes."""


def _looks(parameters: type[takes.Nothing], answer: Any, about: str, role: str = VIEWER) -> Command:
    return Command(parameters, answer, about, role, looks=True)


COMMANDS: Mapping[str, Command] = {
    "status": _looks(takes.Nothing, DOCUMENT, "Tell what the door station is doing."),
    "call": Command(takes.Dial, answers.Calling, "Ring the house, or an address.", OPERATOR),
    "answer": Command(takes.Nothing, answers.AnsweredCall, "Answer the call that rings at the door.", OPERATOR),
    "hangup": Command(takes.Nothing, answers.EndedCall, "End the call, however far it has come.", OPERATOR),
    "dtmf": Command(takes.Keys, answers.SentKeys, "Press telephone keys at the far end of the call.", OPERATOR),
    "say": Command(takes.Words, answers.Said, "Speak a sentence to the visitor.", OPERATOR),
    "auto_reply": Command(takes.Switch, answers.SwitchedOn, "Let the door reply by itself, or not.", OPERATOR),
    "mute": Command(takes.Mute, answers.Muted, "Silence the microphone or the speaker, or take that back.", OPERATOR),
    "volume": Command(takes.Level, answers.LevelOf, "Make the speaker or the microphone louder or softer.", OPERATOR),
    "camera": Command(takes.Switch, answers.CameraState, "Switch the camera off for privacy, or on.", OPERATOR),
    "snapshot": _looks(takes.Still, answers.Picture, "Take a picture, or fetch the one of the last press.", OPERATOR),
    "door.open": Command(takes.Nothing, answers.Opened, "Open the door for its pulse.", OPENER),
    "devices": _looks(takes.Nothing, DOCUMENT, "List what is plugged in, what is used, and why."),
    "calls": _looks(takes.Last, list[CallRecord], "List the last calls, the newest first."),
    "messages": _looks(
        takes.Nothing, list[answers.MessageAtDoor], "List the visitors' messages that are kept at the door.", OPERATOR
    ),
    "messages.get": _looks(takes.MessagePiece, answers.PieceOfMessage, "Fetch a piece of a message.", OPERATOR),
    "messages.delete": Command(takes.MessageOf, answers.DeletedMessage, "Delete a visitor's message.", OPERATOR),
    "faults": _looks(takes.Last, list[answers.FaultOf], "List what is broken, and what was, since the start."),
    "quiet": Command(takes.Quiet, DOCUMENT, "Make the house quiet, or let it ring; or tell how it is.", OPERATOR),
    "notify.test": Command(takes.Named, list[str], "Send a test message to the services of [[notify]].", OPERATOR),
    "notify.tested": _looks(takes.Named, DOCUMENT | None, "Tell what became of a test message.", OPERATOR),
    "metrics": _looks(takes.Nothing, str, "Return the figures in Prometheus's text format."),
    "log": _looks(takes.Last, list[str], "Return the last lines of the log."),
    "diagnostics": _looks(takes.Nothing, DOCUMENT, "Return every document of a bug report.", NOBODY),
    "restart": Command(takes.Nothing, answers.Restarting, "Restart the door station.", OPERATOR),
}
"""Every command, by its name at the control socket."""
