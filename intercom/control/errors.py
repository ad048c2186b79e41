"""The errors of the control socket.

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
    """No service listens at the control socket."""


class NotAnsweringError(ControlError, TimeoutError):
    """The service does not answer in time."""

    def __init__(self, message: str, *, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid
        "Id of the listening process, if the kernel reports it."


class NotPermittedError(ControlError, PermissionError):
    """This user may not use the control socket."""


class ForeignSpeechError(ControlError, ValueError):
    """The received bytes are not this protocol."""


class RefusedError(ControlError, RuntimeError):
    """The service refuses; the message says why."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
        "Error code of JSON-RPC."


class SocketInUseError(ControlError, OSError):
    """Another service answers at this socket."""


class GateError(ControlError, PermissionError):
    """The gate refuses an SSH client's command."""


class KeyFileError(ControlError, ValueError):
    """The key cannot be installed, or is not installed."""
