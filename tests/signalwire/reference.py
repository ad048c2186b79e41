"""The reference client's members beside ours; `python -m tests.signalwire.reference` writes the page's tables."""

from __future__ import annotations

import re
from pathlib import Path

from intercom import signalwire
from intercom.signalwire.call import WebRTCCall
from intercom.signalwire.capabilities import SelfCapabilities
from intercom.signalwire.client import SignalWire
from intercom.signalwire.entities import Address, User
from intercom.signalwire.participant import Participant, SelfParticipant
from intercom.signalwire.preferences import ClientPreferences

PAGE = Path(signalwire.__file__).parents[2] / "docs" / "signalwire.md"
BEGIN, END = "<!-- members: generated, do not edit -->", "<!-- members: end -->"

CLASSES: dict[str, type] = {
    "SignalWire": SignalWire,
    "WebRTCCall": WebRTCCall,
    "Participant": Participant,
    "SelfParticipant": SelfParticipant,
    "SelfCapabilities": SelfCapabilities,
    "Address": Address,
    "User": User,
    "ClientPreferences": ClientPreferences,
}

# As the reference documentation (the client) and the public parts of its source (the entities) list them.
REFERENCE: dict[str, str] = {
    "SignalWire": (
        "applySelectedAudioOutputDevice audioInputDevices$ audioInputDisabled$ audioOutputDevices$ clearDeviceState "
        "connect destroy destroyed$ deviceInfoToConstraints deviceRecovered$ dial directory$ disableAudioInput "
        "disableDeviceMonitoring disableVideoInput disconnect enableAudioInput enableDeviceMonitoring enableVideoInput "
        "enumerateDevices errors$ exportDiagnostics getDeviceCapabilities isConnected$ isRegistered$ isValidDevice "
        "platformCapabilities preferences preflight ready$ register requestMediaPermissions resetToDefaults "
        "selectAudioInputDevice selectAudioOutputDevice selectedAudioInputDevice$ selectedAudioInputDeviceConstraints "
        "selectedAudioOutputDevice$ selectedVideoInputDevice$ selectedVideoInputDeviceConstraints "
        "selectVideoInputDevice session setStorageManager unregister user$ videoInputDevices$ videoInputDisabled$ "
        "warnings$"
    ),
    "WebRTCCall": (
        "address$ answer answered$ bandwidthConstrained$ callUpdated$ capabilities$ destroy direction "
        "disablePushToTalk enablePushToTalk errors$ execute executeMethod from fromName hangup isNetworkHealthy$ "
        "layout$ layoutLayers$ layouts$ localAudioLevel$ localMicrophoneGain$ localSpeaking$ localStream$ locked$ "
        "mediaDirections$ mediaParamsUpdated$ memberJoined$ memberLeft$ memberTalking$ memberUpdated$ meta$ "
        "networkIssues$ networkMetrics$ nodeId$ participants$ qualityLevel$ qualityScore$ raiseHandPriority$ "
        "recording$ recoveryEvent$ recoveryState$ reject remoteAudioLevel$ remoteStream$ requestIceRestart "
        "requestKeyframe rtcPeerConnection self$ selfId$ sendDigits setAutoGainControl setEchoCancellation setLayout "
        "setLocalMicrophoneGain setMeta setNoiseSuppression setPushToTalkActive signalingEvent$ startRecording "
        "startStreaming status$ streaming$ subscribe toName toggleHold toggleIncomingAudio toggleIncomingVideo "
        "toggleLock transfer updateMeta userVariables$ webrtcMessages$"
    ),
    "Participant": (
        "addressId$ audioMuted$ autoGain$ callId deaf$ denoise$ destroy echoCancellation$ end handraised$ "
        "inputSensitivity$ inputVolume$ isAudience isTalking$ lowbitrate$ meta$ mute muteVideo name$ nodeId$ "
        "noiseSuppression$ outputVolume$ position$ remove setAudioInputSensitivity setAudioInputVolume "
        "setAudioOutputVolume setMeta setPosition toggleAudioInputAutoGain toggleDeaf toggleEchoCancellation "
        "toggleHandraise toggleLowbitrate toggleMute toggleMuteVideo toggleNoiseSuppression type$ unmute unmuteVideo "
        "updateMeta userId$ value videoMuted$ visible$"
    ),
    "SelfParticipant": (
        "addAdditionalDevice addAudioInputDevice addInputDevices addVideoInputDevice capabilities disableStudioAudio "
        "enableStudioAudio mute muteVideo removeAdditionalDevice screenShareStatus$ selectAudioInputDevice "
        "selectAudioOutputDevice selectVideoInputDevice setAudioInputDeviceConstraints setInputDevicesConstraints "
        "setVideoInputDeviceConstraints startScreenShare stopScreenShare studioAudio$ unmute unmuteVideo"
    ),
    "SelfCapabilities": "device$ end$ lock$ member$ screenshare$ self$ sendDigit$ setLayout$ state$ vmutedHide$",
    "Address": (
        "activity$ channels$ coverUrl$ createdAt defaultChannel displayName$ history id locked$ name previewUrl$ "
        "resourceId$ sendText textMessage type$"
    ),
    "User": (
        "addresses appSettings companyName country displayName email firstName id jobTitle lastName "
        "pushNotificationKey region satClaims timeZone"
    ),
    "ClientPreferences": (
        "iceServers relayOnly userVariables connectionTimeout reconnectDelayMin reconnectDelayMax relayHost "
        "preferredAudioInput preferredAudioOutput preferredVideoInput inputAudioConstraints inputVideoConstraints "
        "iceCandidateTimeout iceGatheringTimeout preferredVideoCodecs preferredAudioCodecs"
    ),
}

PROVIDER = "of the media provider, which owns the peer connection and its tracks"
UNBUILT = "the reference raises “unimplemented”: the service has no such method yet"
MESSAGING = "messages between subscribers are no part of a door's client; `session.execute` reaches them"
SCREEN = "a device has no screen to share and one camera to show; `CallMedia` sends what the provider opens"

# Where a browser notion has no meaning on a device: what stands in for it.
STAND_INS: dict[str, dict[str, str]] = {
    "WebRTCCall": {
        "address$": "`directory.find(call.to)`",
        "answered$": "`status_stream`: “connecting” is answered",
        "callUpdated$": '`events_stream("call.updated")`',
        "destroy": "`hangup()`; a call that is over frees itself",
        "localSpeaking$": "`local_speaking`, `local_audio_level_stream`",
        "localStream$": PROVIDER,
        "remoteStream$": PROVIDER + "; `AiortcMedia.tracks_stream`",
        "rtcPeerConnection": PROVIDER,
        "locked$": "`locked`, `room_stream`",
        "meta$": "`meta`, `room_stream`",
        "recording$": "`recording`, `room_stream`",
        "streaming$": "`streaming`, `room_stream`",
        "raiseHandPriority$": "`raise_hand_priority`, `room_stream`",
        "mediaDirections$": "`media_kinds`, `muted_stream`, `far_held_stream`",
        "memberJoined$": '`events_stream("member.joined")`',
        "memberLeft$": '`events_stream("member.left")`',
        "memberTalking$": '`events_stream("member.talking")`',
        "memberUpdated$": '`events_stream("member.updated")`',
        "nodeId$": "`node_id`; `status_stream` tells when it may have changed",
        "selfId$": "`self_id`, `self_stream`",
        "userVariables$": "`user_variables`; they do not change in a call",
        "webrtcMessages$": "`status_stream`, `digits_stream`, `info_stream`: what the messages mean",
        "setMeta": UNBUILT,
        "updateMeta": UNBUILT,
        "startRecording": UNBUILT,
        "startStreaming": UNBUILT,
    },
    "Participant": {
        "destroy": "not needed: nothing outlives the call",
        "setMeta": UNBUILT,
        "updateMeta": UNBUILT,
    },
    "SelfParticipant": {
        "addAdditionalDevice": SCREEN,
        "removeAdditionalDevice": SCREEN,
        "screenShareStatus$": SCREEN,
        "startScreenShare": SCREEN,
        "stopScreenShare": SCREEN,
        "addAudioInputDevice": "`SignalWire.enable_audio_input()`",
        "addVideoInputDevice": "`SignalWire.enable_video_input()`",
        "addInputDevices": "`SignalWire.enable_audio_input()`, `.enable_video_input()`",
        "selectAudioInputDevice": "`SignalWire.select_audio_input_device()`",
        "selectAudioOutputDevice": "`SignalWire.select_audio_output_device()`",
        "selectVideoInputDevice": "`SignalWire.select_video_input_device()`",
        "setAudioInputDeviceConstraints": "`WebRTCCall.set_echo_cancellation()` and its like",
        "setVideoInputDeviceConstraints": "the media provider's settings",
        "setInputDevicesConstraints": "the media provider's settings",
    },
    "Address": {
        "activity$": MESSAGING,
        "history": MESSAGING,
        "sendText": MESSAGING,
        "textMessage": MESSAGING,
    },
    "ClientPreferences": {
        "connectionTimeout": "`Options.connect_timeout_s`",
        "reconnectDelayMin": "a constant of `reconnect.py`, with its reason",
        "reconnectDelayMax": "a constant of `reconnect.py`, with its reason",
        "relayHost": "`Options.relay_url`",
        "preferredAudioInput": "`SignalWire.select_audio_input_device()`, which is kept",
        "preferredAudioOutput": "`SignalWire.select_audio_output_device()`, which is kept",
        "preferredVideoInput": "`SignalWire.select_video_input_device()`, which is kept",
        "inputAudioConstraints": "the media provider's settings",
        "inputVideoConstraints": "the media provider's settings",
        "iceCandidateTimeout": "the media provider gathers within 600 ms",
        "iceGatheringTimeout": "the media provider gathers within 600 ms",
        "preferredVideoCodecs": "the media provider's settings",
        "preferredAudioCodecs": "the media provider's settings",
    },
}

PYTHON_WORDS = {"from": "from_", "self": "self_"}


def ours(member: str) -> list[str]:
    """Our names for a member: `fooBar$` is `foo_bar_stream`, its snapshot `foo_bar`."""
    plain = re.sub(r"(?<!^)(?=[A-Z])", "_", member.removesuffix("$")).lower()
    snapshot = PYTHON_WORDS.get(plain, plain)
    return [f"{plain}_stream", snapshot] if member.endswith("$") else [snapshot]


def has(kind: type, name: str) -> bool:
    """Whether a class has a member, as an attribute or a field."""
    return hasattr(kind, name) or any(name in vars(parent).get("__annotations__", {}) for parent in kind.__mro__)


def cell(kind: str, member: str) -> str:
    """Our side of a row."""
    stand_in = STAND_INS.get(kind, {}).get(member)
    if stand_in is not None:
        return stand_in
    return ", ".join(f"`{name}`" for name in ours(member) if has(CLASSES[kind], name))


def tables() -> str:
    """Every table, as Markdown."""
    parts = []
    for kind, members in REFERENCE.items():
        rows = [f"| `{member}` | {cell(kind, member)} |" for member in members.split()]
        parts.append("\n".join([f"### {kind}", "", "| reference | ours |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def page_with(tables: str, page: str) -> str:
    """The page, its tables replaced."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page_with(tables(), PAGE.read_text()))
