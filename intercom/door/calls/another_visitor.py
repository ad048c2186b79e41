"""What the door tells the house of a visitor who presses while somebody talks with it."""

from __future__ import annotations

from typing import Any

from intercom.config.call_plan import AT_ONCE_LIMIT
from intercom.door.calls.kept_press import KeptPress
from intercom.door.calls.ring_plan import Walk


def another_visitor(walk: Walk, button: str, talks: KeptPress | None) -> dict[str, Any]:
    """Return what the far end's application is told of a press.

    Whoever the call's own press rang hears of it with that ring. Another button is another flat's: the space tells
    everybody whom its plan would ring now.

    :param walk: the way that the press would have.
    :param talks: the press whose call is talked in; None in a call to the door.
    """
    if talks is not None and talks.button == button:
        return {"visitor": "pressed"}
    whom = dict.fromkeys(address for step in walk.steps for address in step.ring)
    return {"visitor": "pressed", "button": button, "for": list(whom)[:AT_ONCE_LIMIT]}
