"""The errors of the front panel.

PanelError
├── PinsError (OSError)      no GPIO where the configuration asks for it
│   └── PinBusyError         another program holds it
├── GuardError (OSError)     the door's guard process does not start or answer
├── PageError (OSError)            the panel page cannot be served
└── PanelClosedError (RuntimeError)     the panel was closed before
"""


class PanelError(Exception):
    """Base class of the front panel's errors."""


class PinsError(PanelError, OSError):
    """The pins cannot be used; the message says what to install or to change."""


class PinBusyError(PinsError):
    """Another program holds the pin."""


class GuardError(PanelError, OSError):
    """The door's guard process does not run or answer; the door stays closed until one does."""


class PageError(PanelError, OSError):
    """The panel page cannot be served at the requested address."""


class PanelClosedError(PanelError, RuntimeError):
    """The panel is closed and does nothing any more."""
