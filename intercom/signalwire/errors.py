"""Every error that the SignalWire client raises, as one tree.

::

    SignalWireError(Exception)
    ├── BadFrameError(ValueError)              no JSON-RPC, or a message that lacks what it must hold
    ├── InvalidParamsError(ValueError)         an argument of ours that can never work
    ├── InvalidStateError(RuntimeError)        a call or client asked for what its state forbids
    ├── NotConnectedError(ConnectionError)     the client is disconnected or destroyed
    ├── TransportError(ConnectionError)        the socket could not be opened, or broke
    ├── RpcError(RuntimeError)                 the far end answered with an error; has .code
    │   └── AuthenticationError(PermissionError)   the service refused our credential
    ├── RpcTimeoutError(TimeoutError)          no answer to a request in time
    ├── InvalidCredentialsError(PermissionError)   no credential works, or none could be had
    │   └── TokenRefreshError                  a credential could not be renewed before it ran out
    ├── HttpError(OSError)                     an HTTP call failed; has .status (0: no answer at all)
    ├── CallError(RuntimeError)                a call could not be made, answered or changed; has .cause
    ├── MediaError(RuntimeError)               the media provider failed
    │   ├── DeviceError(LookupError)           no such device, or one that cannot do what was asked
    │   └── MediaAccessError(PermissionError)  our own sound or picture could not be opened for a call
    ├── StorageError(OSError)                  what the client keeps could not be read or written
    └── QueueFullError(OverflowError)          too many requests wait for the connection
"""

from __future__ import annotations


class SignalWireError(Exception):
    """The base of every error that the client raises."""


class BadFrameError(SignalWireError, ValueError):
    """A frame is not JSON-RPC 2.0, or its message lacks a required field."""


class InvalidParamsError(SignalWireError, ValueError):
    """An argument is invalid, whatever the state."""


class InvalidStateError(SignalWireError, RuntimeError):
    """The state of a call or of the client forbids the request."""


class NotConnectedError(SignalWireError, ConnectionError):
    """The client is disconnected or destroyed; connect() first."""


class TransportError(SignalWireError, ConnectionError):
    """The socket could not be opened, or broke."""


class RpcError(SignalWireError, RuntimeError):
    """The far end answered a request with an error (JSON-RPC 2.0, section 5.1)."""

    def __init__(self, code: int, message: str, *, method: str = "") -> None:
        super().__init__(f"{method or 'request'} was refused: {message} ({code})")
        self.code = code
        self.message = message
        self.method = method


class AuthenticationError(RpcError, PermissionError):
    """The service refused the credential; get a new one and connect again."""


class RpcTimeoutError(SignalWireError, TimeoutError):
    """A request was not answered in time."""


class InvalidCredentialsError(SignalWireError, PermissionError):
    """No credential works: registration failed twice, or none was available."""


class TokenRefreshError(InvalidCredentialsError):
    """A credential could not be renewed before it ran out."""


class HttpError(SignalWireError, OSError):
    """An HTTP call failed; `status` is the response's, 0 when there was none."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class CallError(SignalWireError, RuntimeError):
    """A call could not be made, answered or changed; `cause` is its Q.850-style cause name."""

    def __init__(self, message: str, *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class MediaError(SignalWireError, RuntimeError):
    """The media provider failed."""


class DeviceError(MediaError, LookupError):
    """The device is absent, or cannot do the request."""


class MediaAccessError(MediaError, PermissionError):
    """Our own audio or video cannot be opened for a call; the call may go on and only receive."""


class StorageError(SignalWireError, OSError):
    """The client's stored data could not be read or written."""


class QueueFullError(SignalWireError, OverflowError):
    """Too many requests wait for the connection to come back."""
