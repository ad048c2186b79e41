"""A SignalWire subscriber client, usable by itself: connect, register, dial, be called.

Begin with `client/client.py`.

Start with `SignalWire`. Names are loaded when they are first used, so that importing this package costs next to
nothing, and the space, which needs only the messages, pays only for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intercom.signalwire.account.access_token import Credential as Credential
    from intercom.signalwire.account.credentials import CommandCredentials as CommandCredentials
    from intercom.signalwire.account.credentials import CredentialProvider as CredentialProvider
    from intercom.signalwire.account.credentials import EndpointCredentials as EndpointCredentials
    from intercom.signalwire.account.credentials import SpaceCredentials as SpaceCredentials
    from intercom.signalwire.account.credentials import StaticCredentials as StaticCredentials
    from intercom.signalwire.account.credentials import TokenFileCredentials as TokenFileCredentials
    from intercom.signalwire.account.directory import Address as Address
    from intercom.signalwire.account.directory import Directory as Directory
    from intercom.signalwire.account.directory import User as User
    from intercom.signalwire.aiortc_media import AiortcMedia as AiortcMedia
    from intercom.signalwire.call.dialog.events import CallStatus as CallStatus
    from intercom.signalwire.call.digit_merge import KeyPress as KeyPress
    from intercom.signalwire.call.members.capabilities import SelfCapabilities as SelfCapabilities
    from intercom.signalwire.call.members.participant import Participant as Participant
    from intercom.signalwire.call.members.participant import SelfParticipant as SelfParticipant
    from intercom.signalwire.call.webrtc_call import WebRTCCall as WebRTCCall
    from intercom.signalwire.client.devices import Device as Device
    from intercom.signalwire.client.devices import DeviceProvider as DeviceProvider
    from intercom.signalwire.client.devices import DeviceRecoveryEvent as DeviceRecoveryEvent
    from intercom.signalwire.client.preflight import PreflightResult as PreflightResult
    from intercom.signalwire.client.session import ClientSession as ClientSession
    from intercom.signalwire.client.signalwire import SignalWire as SignalWire
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
        MediaAccessError as MediaAccessError,
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
    from intercom.signalwire.preferences import ClientPreferences as ClientPreferences
    from intercom.signalwire.storage import FileStorage as FileStorage
    from intercom.signalwire.storage import MemoryStorage as MemoryStorage

_HOMES = {
    "aiortc_media": ("AiortcMedia",),
    "call.webrtc_call": ("WebRTCCall",),
    "call.members.capabilities": ("SelfCapabilities",),
    "client.signalwire": ("SignalWire",),
    "client.session": ("ClientSession",),
    "account.access_token": ("Credential",),
    "account.credentials": (
        "CommandCredentials",
        "CredentialProvider",
        "EndpointCredentials",
        "SpaceCredentials",
        "StaticCredentials",
        "TokenFileCredentials",
    ),
    "client.devices": ("Device", "DeviceProvider", "DeviceRecoveryEvent"),
    "call.dialog.events": ("CallStatus",),
    "call.digit_merge": ("KeyPress",),
    "account.directory": ("Address", "Directory", "User"),
    "errors": (
        "AuthenticationError",
        "CallError",
        "InvalidCredentialsError",
        "InvalidParamsError",
        "InvalidStateError",
        "MediaAccessError",
        "MediaError",
        "NotConnectedError",
        "RpcError",
        "SignalWireError",
        "StorageError",
        "TransportError",
    ),
    "media": ("CallMedia", "MediaProvider"),
    "options": ("Options",),
    "call.members.participant": ("Participant", "SelfParticipant"),
    "preferences": ("ClientPreferences",),
    "client.preflight": ("PreflightResult",),
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
