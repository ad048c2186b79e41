"""The configuration's list of webhooks."""

from collections.abc import Iterable

from intercom.config.fields import NAME, PATH, WEBHOOK_SECRET, WEBHOOK_URL, setting
from intercom.config.table import Table

FACTS = (
    "pressed",
    "step_began",
    "step_notifies",
    "pressed_again",
    "press_waits",
    "unreached",
    "cut_off",
    "call_began",
    "rang_again",
    "answered",
    "ended",
    "door_opened",
    "door_refused",
    "lock_changed",
    "exit_pressed",
    "chime_rang",
    "door_moved",
    "tampered",
    "camera_privacy_changed",
    "looked_at",
    "quiet_changed",
    "replied",
    "message_left",
    "fault_began",
    "fault_cleared",
    "registration_changed",
    "state_changed",
)
"""Names of the facts that can be told: all of `facts.py`, which the configuration does without; a test compares."""
WEBHOOKS_LIMIT = 8
"""Limit of entries; each holds a queue and a connection of its own."""


class WebhookConfig(Table):
    """A program that is told at once what happens at the door, by an HTTP POST: docs/webhooks.md."""

    url: str = setting(
        "",
        "Where to. Needed; `http:` only within the house. A secret: nothing shows it.",
        shape=WEBHOOK_URL,
        secret=True,
        needed=True,
    )
    name: str = setting("", "What commands, the log and the status call this entry. Empty: `webhook`.", shape=NAME)
    events: tuple[str, ...] = setting(
        ("pressed", "answered", "ended", "door_opened", "door_refused", "tampered", "fault_began", "fault_cleared"),
        "The facts that are told; docs/api.md describes each.",
        choices=FACTS,
    )
    secret: str = setting(
        "",
        "The key that signs what is sent, `whsec_` and 24 to 64 bytes in base64, as the receiver has it too. Empty: "
        "nothing is signed, and the receiver cannot tell who sends. A secret: nothing shows it.",
        shape=WEBHOOK_SECRET,
        secret=True,
    )
    picture: bool = setting(False, "Send the picture of who rings with `pressed`.")
    certificate: str = setting(
        "", "File with the CA (PEM) that the receiver's certificate is signed by. Empty: the system's.", shape=PATH
    )


def names_of(entries: Iterable[WebhookConfig]) -> list[str]:
    """Return the name of each entry, in their order; one that its owner left out has a number."""
    names: list[str] = []
    for entry in entries:
        name = entry.name or "webhook"
        names.append(f"{name}-{len(names) + 1}" if name in names else name)
    return names
