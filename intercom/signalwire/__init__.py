"""A SignalWire subscriber client, usable by itself: connect, register, dial, be called.

Start with `SignalWire`. Names are loaded when they are first used, so that importing this package costs next to
nothing, and the space, which needs only the messages, pays only for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intercom.signalwire.aiortc_media import AiortcMedia as AiortcMedia
    from intercom.signalwire.call import WebRTCCall as WebRTCCall
    from intercom.signalwire.capabilities import SelfCapabilities as SelfCapabilities
    from intercom.signalwire.client import SignalWire as SignalWire
    from intercom.signalwire.client_session import ClientSession as ClientSession
    from intercom.signalwire.credentials import (
        CommandCredentials as CommandCredentials,
    )
    from intercom.signalwire.credentials import (
        Credential as Credential,
    )
    from intercom.signalwire.credentials import (
        CredentialProvider as CredentialProvider,
    )
    from intercom.signalwire.credentials import (
        EndpointCredentials as EndpointCredentials,
    )
    from intercom.signalwire.credentials import (
        SpaceCredentials as SpaceCredentials,
    )
    from intercom.signalwire.credentials import (
        StaticCredentials as StaticCredentials,
    )
    from intercom.signalwire.credentials import (
        TokenFileCredentials as TokenFileCredentials,
    )
    from intercom.signalwire.devices import (
        Device as Device,
    )
    from intercom.signalwire.devices import (
        DeviceProvider as DeviceProvider,
    )
    from intercom.signalwire.devices import (
        DeviceRecoveryEvent as DeviceRecoveryEvent,
    )
    from intercom.signalwire.dialog_events import CallStatus as CallStatus
    from intercom.signalwire.digit_merge import KeyPress as KeyPress
    from intercom.signalwire.entities import Address as Address
    from intercom.signalwire.entities import Directory as Directory
    from intercom.signalwire.entities import User as User
    from intercom.signalwire.errors import (
        AuthenticationError as AuthenticationError,
    )
    from intercom.signalwire.errors import (
        CallError as CallError,
    )
    from intercom.signalwire.errors import (
        InvalidCredentialsError as InvalidCredentialsError,
    )
    from intercom.signalwire.errors import (
        InvalidParamsError as InvalidParamsError,
    )
    from intercom.signalwire.errors import (
        InvalidStateError as InvalidStateError,
    )
    from intercom.signalwire.errors import (
        MediaError as MediaError,
    )
    from intercom.signalwire.errors import (
        NotConnectedError as NotConnectedError,
    )
    from intercom.signalwire.errors import (
        RpcError as RpcError,
    )
    from intercom.signalwire.errors import (
        SignalWireError as SignalWireError,
    )
    from intercom.signalwire.errors import (
        StorageError as StorageError,
    )
    from intercom.signalwire.errors import (
        TransportError as TransportError,
    )
    from intercom.signalwire.media import CallMedia as CallMedia
    from intercom.signalwire.media import MediaProvider as MediaProvider
    from intercom.signalwire.options import Options as Options
    from intercom.signalwire.participant import Participant as Participant
    from intercom.signalwire.participant import SelfParticipant as SelfParticipant
    from intercom.signalwire.preferences import ClientPreferences as ClientPreferences
    from intercom.signalwire.preflight import PreflightResult as PreflightResult
    from intercom.signalwire.storage import FileStorage as FileStorage
    from intercom.signalwire.storage import MemoryStorage as MemoryStorage

_HOMES = {
    "aiortc_media": ("AiortcMedia",),
    "call": ("WebRTCCall",),
    "capabilities": ("SelfCapabilities",),
    "client": ("SignalWire",),
    "client_session": ("ClientSession",),
    "credentials": (
        "CommandCredentials",
        "Credential",
        "CredentialProvider",
        "EndpointCredentials",
        "SpaceCredentials",
        "StaticCredentials",
        "TokenFileCredentials",
    ),
    "devices": ("Device", "DeviceProvider", "DeviceRecoveryEvent"),
    "dialog_events": ("CallStatus",),
    "digit_merge": ("KeyPress",),
    "entities": ("Address", "Directory", "User"),
    "errors": (
        "AuthenticationError",
        "CallError",
        "InvalidCredentialsError",
        "InvalidParamsError",
        "InvalidStateError",
        "MediaError",
        "NotConnectedError",
        "RpcError",
        "SignalWireError",
        "StorageError",
        "TransportError",
    ),
    "media": ("CallMedia", "MediaProvider"),
    "options": ("Options",),
    "participant": ("Participant", "SelfParticipant"),
    "preferences": ("ClientPreferences",),
    "preflight": ("PreflightResult",),
    "storage": ("FileStorage", "MemoryStorage"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
