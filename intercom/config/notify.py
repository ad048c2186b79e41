"""The configuration's list of services that tell people what happens at the door."""

from collections.abc import Iterable

from intercom.config.fields import LINK, NAME, NOTIFY_URL, TIME, setting
from intercom.config.table import Table

EVENTS = ("ring", "missed", "message", "alarm", "answered", "opened", "fault")
"""Events that people can be told of."""
OF_A_PRESS = frozenset({"ring", "missed", "answered"})
"""Events of which an entry that a step of a plan names is told only once that step has begun."""
ENTRIES_LIMIT = 8
"""Limit of entries: a house has a few people, and each entry may run a process of its own."""


class NotifyConfig(Table):
    """A service that tells people what happens at the door (ntfy, Telegram, e-mail …): docs/notifications.md."""

    url: str = setting(
        "",
        "The service and the way to it, as apprise writes it. Needed. A secret: nothing shows it.",
        shape=NOTIFY_URL,
        secret=True,
        needed=True,
    )
    name: str = setting(
        "",
        "What commands, the log and the figures call this entry. Empty: the word before `://`.",
        shape=NAME,
    )
    events: tuple[str, ...] = setting(
        ("ring", "missed", "message", "alarm"),
        "What is told: `ring` somebody presses the button, `missed` nobody answered, `message` the visitor left a "
        "message (`history.messages`), `alarm` the door was forced or is held open, or the box was opened "
        "(`door.contact_gpio`, `door.tamper_gpio`), or too many wrong codes were typed, `answered` who did, `opened` "
        "who opened the door, `fault` something is broken for more than a minute, or works again.",
        choices=EVENTS,
    )
    picture: bool = setting(True, "Send the picture of who rings, where the service takes pictures.")
    quiet_from: str = setting(
        "",
        "Local time from which nothing is told every day, for example `22:00`. Empty: it is told at any time.",
        shape=TIME,
    )
    quiet_to: str = setting("07:00", "Local time from which it is told again.", shape=TIME)
    link: str = setting(
        "",
        'Where "Open the page" leads. Empty: the page of the embedded space, where phones reach it. `none`: there is '
        "no link.",
        shape=LINK,
    )


def names_of(entries: Iterable[NotifyConfig]) -> list[str]:
    """Return the name of each entry, in their order; one that its owner left out is the service's."""
    names: list[str] = []
    for entry in entries:
        name = entry.name or entry.url.partition("://")[0].lower()
        names.append(f"{name}-{len(names) + 1}" if name in names else name)
    return names
