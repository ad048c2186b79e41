"""The reference client's members beside ours; `python -m tests.signalwire.reference` writes the page's tables."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from intercom import signalwire
from intercom.signalwire.account.directory import Address, User
from intercom.signalwire.call import media_monitor, quality, recovery_policy
from intercom.signalwire.call.capabilities import SelfCapabilities
from intercom.signalwire.call.dialog import outbox
from intercom.signalwire.call.participant import Participant, SelfParticipant
from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.client import devices
from intercom.signalwire.client.calls import ClientSession
from intercom.signalwire.client.signalwire import SignalWire
from intercom.signalwire.link import reconnect
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
    "ClientSession": ClientSession,
}

# What a row leaves to another table, as the page says above it.
INHERITS = {"SelfParticipant": "Participant"}

# A row for `foo$` is also the row for its snapshot `foo`. tests/reference/members.json holds what the package declares.
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
        "addCallId address$ answer answered$ answerMediaOptions bandwidthConstrained$ callEvent$ callStates$ "
        "callUpdated$ capabilities$ clientSession createParticipant destroy destroyed$ direction "
        "disablePushToTalk emitError emitMediaParamsUpdated enablePushToTalk errors$ execute executeMethod from "
        "fromName hangup id isNetworkHealthy$ layout$ layoutEvent$ layoutLayers$ layouts$ layoutUpdates$ "
        "localAudioLevel$ localMicrophoneGain$ localSpeaking$ localStream$ locked$ mediaDirections$ "
        "mediaParamsUpdated$ memberJoined$ memberLeft$ memberTalking$ memberUpdated$ meta$ networkIssues$ "
        "networkMetrics$ nodeId$ notifyModifyFailed options participants$ qualityLevel$ qualityScore$ "
        "raiseHandPriority$ recording$ recoveryEvent$ recoveryState$ reject remoteAudioLevel$ remoteStream$ "
        "requestIceRestart requestKeyframe rtcPeerConnection self$ selfId$ sendDigits setAutoGainControl "
        "setEchoCancellation setLayout setLocalMicrophoneGain setMeta setNoiseSuppression setPushToTalkActive "
        "signalingEvent$ startRecording startStreaming status$ streaming$ subscribe to toggleHold "
        "toggleIncomingAudio toggleIncomingVideo toggleLock toName transfer updateMeta userVariables$ "
        "webrtcMessages$"
    ),
    "Participant": (
        "addressId$ audioMuted$ autoGain$ deaf$ denoise$ destroy destroyed$ echoCancellation$ end handraised$ id "
        "inputSensitivity$ inputVolume$ isAudience isTalking$ lowbitrate$ meta$ mute muteVideo name$ nodeId$ "
        "noiseSuppression$ outputVolume$ position$ remove setAudioInputSensitivity setAudioInputVolume "
        "setAudioOutputVolume setMeta setPosition toggleAudioInputAutoGain toggleDeaf toggleEchoCancellation "
        "toggleHandraise toggleLowbitrate toggleMute toggleMuteVideo toggleNoiseSuppression type$ unmute "
        "unmuteVideo updateMeta upnext userId$ value videoMuted$ visible$"
    ),
    "SelfParticipant": (
        "addAdditionalDevice addAudioInputDevice addInputDevices addVideoInputDevice capabilities destroy "
        "disableStudioAudio "
        "enableStudioAudio mute muteVideo removeAdditionalDevice screenShareStatus$ selectAudioInputDevice "
        "selectAudioOutputDevice selectVideoInputDevice setAudioInputDeviceConstraints setInputDevicesConstraints "
        "setVideoInputDeviceConstraints startScreenShare stopScreenShare studioAudio$ "
        "toggleAudioInputAutoGain toggleEchoCancellation toggleNoiseSuppression unmute unmuteVideo"
    ),
    "SelfCapabilities": (
        "destroy destroyed$ device$ end$ lock$ member$ screenshare$ self$ sendDigit$ setLayout$ state$ "
        "updateFromRaw vmutedHide$"
    ),
    "Address": (
        "activity$ channels$ coverUrl$ createdAt defaultChannel destroy destroyed$ displayName$ history$ "
        "id locked$ name previewUrl$ resourceId$ sendText state textMessage textMessages$ type$ upnext"
    ),
    "User": (
        "addresses appSettings companyName country destroy destroyed$ displayName email fetched$ firstName "
        "fromPath id jobTitle lastName pushNotificationKey region satClaims timeZone"
    ),
    "ClientPreferences": (
        "autoMuteVideoOnHidden checkConnectionOnVisible connectionTimeout defaultAudioConstraints "
        "defaultVideoConstraints degradationBitrateThreshold degradationRecoveryThreshold deviceDebounceTime "
        "devicePollingInterval disableUdpIceServers enableAutoDegradation enableNetworkChangeDetection "
        "enableRelayFallback enableSavePreferences enableServerHangupInterception iceCandidateTimeout "
        "iceDisconnectedGracePeriod iceGatheringTimeout iceRestartTimeout iceServers inputAudioConstraints "
        "inputVideoConstraints keyframeBurstWindow keyframeCooldown keyframeMaxBurst maxRecoveryAttempts "
        "persistDeviceSelection preferredAudioCodecs preferredAudioInput preferredAudioOutput "
        "preferredVideoCodecs preferredVideoInput receiveAudio receiveVideo reconnectCallsTimeout "
        "reconnectDelayMax reconnectDelayMin recoveryCooldown recoveryDebounceTime refreshDevicesOnVisible "
        "reinviteDebounceTime reinviteMaxAttempts reinviteTimeout relayHost relayOnly statsBaselineSamples "
        "statsHistorySize statsJitterSpikeMultiplier statsNoPacketThreshold statsPacketLossThreshold "
        "statsPollingInterval statsRttSpikeMultiplier stereoAudio syncDevicesToActiveCalls userVariables"
    ),
    "ClientSession": "authenticated$ calls$ execute iceServers incomingCalls$ signalingEvent$",
}

PROVIDER = "of the media provider, which owns the peer connection and its tracks"
UNBUILT = "the reference raises “unimplemented”: the service has no such method yet"
MESSAGING = "no counterpart: messages between subscribers, an HTTP API of their own, are no part of a door's client"
SCREEN = (
    "no counterpart: a device has no screen to share and one camera to show; `CallMedia` sends what the provider opens"
)
INNER = "no counterpart: the client's own inner work, which its declarations leave public"
PAGELESS = "no counterpart: a device has no page that is hidden"
SETTINGS = "the media provider's settings"
GATHERING = (
    "the media provider's own: 600 ms with the door's; `AiortcMedia` waits 5 s for a server that does not answer"
)
KEYS = (
    '`send_digits`: by verto.info as there; with `way="media"`, and while the service is out of reach, as telephone '
    "events (RFC 4733) where the provider and the far end know them"
)
NEEDS_BITRATE = "with a media provider that gives `outgoing_bitrate_bps`; without it nothing happens"


def constant(module: ModuleType, name: str) -> str:
    """A setting that is fixed here: its value, and where its reason stands."""
    return f"fixed: `{name}` = {getattr(module, name):g} in `{module.__name__.rpartition('.')[2]}.py`"


# Where a browser notion has no meaning on a device: what stands in for it.
STAND_INS: dict[str, dict[str, str]] = {
    "WebRTCCall": {
        "address$": "`await client.directory.find(call.to)`, a coroutine; inbound: of `call.from_`",
        "answered$": "`status_stream`: “connecting” is answered",
        "addCallId": INNER,
        "answerMediaOptions": "`media_directions`, once it is answered",
        "bandwidthConstrained$": "`bandwidth_constrained_stream`, `bandwidth_constrained`: only " + NEEDS_BITRATE,
        "callEvent$": "`signaling_event_stream`",
        "callStates$": '`events_stream("call.state")`',
        "clientSession": "`SignalWire.session`",
        "sendDigits": KEYS,
        "createParticipant": INNER,
        "destroyed$": "`await wait_destroyed()`; `status_stream`",
        "emitError": INNER,
        "emitMediaParamsUpdated": INNER,
        "layoutEvent$": '`events_stream("layout.changed")`',
        "layoutUpdates$": '`events_stream("layout.changed")`',
        "notifyModifyFailed": INNER,
        "options": "`media_directions`, `user_variables`: what was asked for",
        "recoveryEvent$": "`recovery_event_stream`; its “video_off” and “video_on” only " + NEEDS_BITRATE,
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
        "mediaDirections$": "`media_directions`, `muted_stream`, `far_held_stream`",
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
        "destroy": "no counterpart: nothing outlives the call",
        "destroyed$": "`participants_stream` no longer holds it",
        "upnext": INNER,
        "setMeta": UNBUILT,
        "updateMeta": UNBUILT,
    },
    "SelfParticipant": {
        "destroy": "no counterpart: nothing outlives the call",
        "enableStudioAudio": "`enable_studio_audio` tells the service only; the media is told by "
        "`WebRTCCall.set_echo_cancellation()` and its like",
        "disableStudioAudio": "`disable_studio_audio` tells the service only",
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
        "setAudioInputDeviceConstraints": "`WebRTCCall.set_echo_cancellation()` and its like, if the media can",
        "setVideoInputDeviceConstraints": "the media provider's settings",
        "setInputDevicesConstraints": "the media provider's settings",
    },
    "SelfCapabilities": {
        "destroy": "no counterpart: nothing outlives the call",
        "destroyed$": "no counterpart: nothing outlives the call",
        "updateFromRaw": INNER,
    },
    "Address": {
        "activity$": "no counterpart: `session.calls_stream` holds every call, each with its `to` and `from_`",
        "destroy": "no counterpart: there is nothing to free",
        "destroyed$": "no counterpart: there is nothing to free",
        "history$": MESSAGING,
        "sendText": MESSAGING,
        "state": "no counterpart: every field of it is a property",
        "textMessage": MESSAGING,
        "textMessages$": MESSAGING,
        "upnext": INNER,
    },
    "User": {
        "destroy": "no counterpart: it is a plain record",
        "destroyed$": "no counterpart: it is a plain record",
        "fetched$": "`SignalWire.user_stream`: None until it is fetched",
        "fromPath": INNER,
    },
    "ClientPreferences": {
        "autoMuteVideoOnHidden": PAGELESS,
        "checkConnectionOnVisible": PAGELESS,
        "refreshDevicesOnVisible": PAGELESS,
        "relayOnly": "`relay_only`; with a provider that cannot keep to relays no call is made",
        "connectionTimeout": constant(reconnect, "ATTEMPT_TIMEOUT_S")
        + "; `Options.connect_timeout_s` bounds connect() as a whole",
        "reconnectDelayMin": constant(reconnect, "FIRST_DELAY_S"),
        "reconnectDelayMax": "`Options.longest_delay_s`",
        "reconnectCallsTimeout": "no counterpart: nothing waits; a call that the service still holds is taken up "
        "when it says so (`Options.take_up_calls`)",
        "relayHost": "`Options.relay_url`",
        "preferredAudioInput": "`SignalWire.select_audio_input_device()`, which is kept",
        "preferredAudioOutput": "`SignalWire.select_audio_output_device()`, which is kept",
        "preferredVideoInput": "`SignalWire.select_video_input_device()`, which is kept",
        "persistDeviceSelection": "the choice is kept in `SignalWire(storage=)`, always",
        "syncDevicesToActiveCalls": "`DeviceProvider.use()` switches the device itself, always",
        "enableSavePreferences": "no counterpart: preferences last as long as the client; the program sets them",
        "deviceDebounceTime": constant(devices, "DEBOUNCE_S"),
        "devicePollingInterval": "no counterpart: the provider tells (`DeviceProvider.devices_changed_stream`)",
        "inputAudioConstraints": SETTINGS,
        "inputVideoConstraints": SETTINGS,
        "defaultAudioConstraints": SETTINGS,
        "defaultVideoConstraints": SETTINGS,
        "stereoAudio": SETTINGS,
        "preferredVideoCodecs": SETTINGS,
        "preferredAudioCodecs": SETTINGS,
        "iceCandidateTimeout": GATHERING,
        "iceGatheringTimeout": GATHERING,
        "disableUdpIceServers": "no counterpart: set `ice_servers` to those that are wanted",
        "enableRelayFallback": "always: TURN servers are tried beside the direct paths from the start, and alone after "
        + constant(recovery_policy, "ANY_PATH").removeprefix("fixed: ")
        + " tries to mend a call",
        "enableNetworkChangeDetection": "`Options.watch_network`: connection and calls are looked after at once",
        "enableServerHangupInterception": "no counterpart: when the service ends a call, it is over",
        "statsPollingInterval": constant(media_monitor, "LOOK_S"),
        "statsBaselineSamples": constant(quality, "BASELINE_SAMPLES"),
        "statsHistorySize": constant(quality, "HISTORY_SAMPLES"),
        "statsNoPacketThreshold": constant(quality, "NO_PACKETS_S"),
        "statsPacketLossThreshold": constant(quality, "LOSS_WARNING_PERCENT"),
        "statsRttSpikeMultiplier": constant(quality, "RTT_SPIKE"),
        "statsJitterSpikeMultiplier": constant(quality, "JITTER_SPIKE"),
        "keyframeMaxBurst": constant(recovery_policy, "KEYFRAME_BURST"),
        "keyframeBurstWindow": constant(recovery_policy, "KEYFRAME_WINDOW_S"),
        "keyframeCooldown": constant(recovery_policy, "KEYFRAME_COOLDOWN_S"),
        "reinviteDebounceTime": "no counterpart: each change is sent at once, in its order",
        "reinviteMaxAttempts": constant(recovery_policy, "MAX_RESTARTS")
        + ", for ICE restarts; another change is tried once",
        "reinviteTimeout": constant(outbox, "REQUEST_TIMEOUT_S"),
        "recoveryDebounceTime": "no counterpart: `GRACE_S` is the only wait",
        "recoveryCooldown": constant(recovery_policy, "COOLDOWN_S"),
        "iceDisconnectedGracePeriod": constant(recovery_policy, "GRACE_S"),
        "iceRestartTimeout": constant(recovery_policy, "RESTART_TIMEOUT_S"),
        "maxRecoveryAttempts": constant(recovery_policy, "MAX_RESTARTS"),
        "enableAutoDegradation": "always, but only " + NEEDS_BITRATE,
        "degradationBitrateThreshold": constant(recovery_policy, "VIDEO_OFF_BPS"),
        "degradationRecoveryThreshold": constant(recovery_policy, "VIDEO_ON_BPS"),
    },
}

# Rows that the reference documentation asks for and the package does not declare.
DOCUMENTED_ONLY = {("SignalWire", "warnings$")}

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
        parent = [f"And everything of {INHERITS[kind]}.", ""] if kind in INHERITS else []
        parts.append("\n".join([f"### {kind}", "", *parent, "| reference | ours |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def page_with(tables: str, page: str) -> str:
    """The page, its tables replaced."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page_with(tables(), PAGE.read_text()))
