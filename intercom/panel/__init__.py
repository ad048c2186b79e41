"""The front panel: the button, the lights and the door's relay; and the page that stands in for them.

Begin with `front.py`.
"""

from intercom.panel.door import Door
from intercom.panel.errors import GuardError, PageError, PanelClosedError, PanelError, PinsError
from intercom.panel.front import FrontPanel
from intercom.panel.patterns import PATTERNS, Pattern
from intercom.panel.simulated.page import PanelPage

__all__ = [
    "PATTERNS",
    "Door",
    "FrontPanel",
    "GuardError",
    "PageError",
    "PanelClosedError",
    "PanelError",
    "PanelPage",
    "Pattern",
    "PinsError",
]
