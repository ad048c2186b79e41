"""What can go wrong with the control socket.

ControlError
├── NotRunningError (ConnectionError)      nobody listens at the socket
├── NotAnsweringError (TimeoutError)       the service took the connection and says nothing
├── NotPermittedError (PermissionError)    this user may not use the socket
├── ForeignSpeechError (ValueError)        what came is not this protocol, or another version of it
├── RefusedError (RuntimeError)            the service understood, and says why it does not do it
├── SocketInUseError (OSError)             another service listens there already
├── GateError (PermissionError)            an SSH key asked for what its role may not do
└── KeyFileError (ValueError)              not a public key, or no such key
"""

from __future__ import annotations


class ControlError(Exception):
    """Base class of the control socket's errors."""


class NotRunningError(ControlError, ConnectionError):
    """Nobody listens at the control socket."""


class NotAnsweringError(ControlError, TimeoutError):
    """The service does not answer in time."""

    def __init__(self, message: str, *, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid
        "the process that listens, if the kernel says"


class NotPermittedError(ControlError, PermissionError):
    """This user may not speak to the service."""


class ForeignSpeechError(ControlError, ValueError):
    """What came over the socket is not this protocol."""


class RefusedError(ControlError, RuntimeError):
    """The service says no, and why."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
        "JSON-RPC's error code"


class SocketInUseError(ControlError, OSError):
    """Another service answers at this socket."""


class GateError(ControlError, PermissionError):
    """What an SSH client asked for is not run."""


class KeyFileError(ControlError, ValueError):
    """A key that cannot be installed, or is not there."""
