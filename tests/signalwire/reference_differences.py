"""How our members differ from the reference client's, each with its reason; `reference.py` makes tables of it."""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

from intercom.signalwire.call import media_monitor, quality, recovery_policy
from intercom.signalwire.call.dialog import outbox
from intercom.signalwire.client import devices
from intercom.signalwire.link import reconnect


class Differs(NamedTuple):
    """How a member differs."""

    ours: str = ""
    """What stands in for it; empty: what has its name, or nothing."""
    because: str = ""


MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (devices, media_monitor, outbox, quality, recovery_policy, reconnect)
}
"""The modules whose constants stand for settings of the reference."""


def constant(module: ModuleType, name: str, because: str = "fixed") -> Differs:
    """A setting that is fixed here: its value, and where its reason stands."""
    return Differs(f"`{module.__name__.rpartition('.')[2]}.{name}` = {getattr(module, name):g}", because)


def nothing(because: str) -> Differs:
    """A member that is left out on purpose."""
    return Differs("nothing", because)


INNER = nothing("the client's own inner work, which its declarations leave public")
UNBUILT = nothing("the reference raises “unimplemented”: the service has no such method yet")
OUTLIVES = nothing("nothing outlives the call")
PROVIDER = nothing("the media provider owns the peer connection and its tracks")
SCREEN = nothing("a device has no screen to share and one camera to show; `CallMedia` sends what the provider opens")
MESSAGING = nothing("messages between subscribers, an HTTP API of their own, are no part of a door's client")
PAGELESS = nothing("a device has no page that is hidden")
SETTINGS = nothing("the media provider has these settings")
GATHERING = nothing("the media provider's own: 600 ms with the door's; `AiortcMedia` waits 5 s for a dead server")
NEEDS_BITRATE = "only with a media provider that gives `outgoing_bitrate_bps`; without it nothing happens"
CLIENT_WIDE = "a device has one microphone, speaker and camera: the client chooses, for every call"
KEPT = "the choice is kept"
BY_EVENT = "all events by type, in one way"
ROOM = "one stream for all of the room's state"
AS_SERVED = "-50 to 50, as the service takes it; the reference's comment says 0 to 100"
UNWRAPPED = "it takes the method and its parameters, not a whole request, and returns the result"
LOGGING = nothing("Python's `logging`, under the name `intercom.signalwire`")
CODECS = nothing("the media provider names its codecs, best first")
OPENED_BY_PROVIDER = dict.fromkeys(
    ("inputAudioDeviceConstraints", "inputAudioStream", "inputVideoDeviceConstraints", "inputVideoStream"),
    nothing("the media provider opens microphone and camera"),
)
PLAIN = nothing("it is a plain record")

DIFFERENCES: dict[str, dict[str, Differs]] = {
    "SignalWire": {
        "applySelectedAudioOutputDevice": Differs(because="it takes no element of a page"),
        "errors$": Differs(because="exceptions of one tree, `SignalWireError`, by their type"),
        "getDeviceCapabilities": Differs(because="it raises `DeviceError` for a device that is absent"),
        "preflight": Differs(because="`duration_s=`; it uses the chosen devices, and its result is one flat record"),
        "destroy": Differs(because="it keeps what resumes the session, for the next process"),
        "dial": Differs(
            because="it raises `NotConnectedError` before connect(), where the reference waits; `?channel=video` is "
            "read of an `Address` too; codecs, constraints, streams and stereo are the media provider's"
        ),
        "register": Differs(because="it connects if need be, and tries again by itself after every reconnect"),
        "connect": Differs(because="the reference connects when it is made; ours when the program says so"),
        "requestMediaPermissions": Differs(because="there is no permission dialogue: what has a device is allowed"),
        "warnings$": Differs(because="each is a sentence, without a code"),
    },
    "WebRTCCall": {
        "address$": Differs("`SignalWire.directory`", "`await directory.find(call.to)`, inbound of `call.from_`"),
        "answer": Differs(
            because="a coroutine, which returns when the answer is confirmed; it is audio alone, as the declarations "
            "say, where the reference's code takes over what the caller offers"
        ),
        "answered$": Differs("`status_stream`", "“connecting” is answered"),
        "answerMediaOptions": Differs("`media_directions`", "known once it is answered"),
        "bandwidthConstrained$": Differs(because=NEEDS_BITRATE),
        "callEvent$": Differs("`signaling_event_stream`", "the same events"),
        "callStates$": Differs("`events_stream`", BY_EVENT + ': `events_stream("call.state")`'),
        "callUpdated$": Differs("`events_stream`", BY_EVENT + ': `events_stream("call.updated")`'),
        "clientSession": Differs("`SignalWire.session`", "there is one"),
        "destroy": Differs("`hangup`", "a call that is over frees itself"),
        "destroyed$": Differs("`wait_destroyed`, `status_stream`", "it can be awaited"),
        "errors$": Differs(because="exceptions of one tree, by their type; what ended the call stands in `end_cause`"),
        "execute": Differs(because=UNWRAPPED),
        "executeMethod": Differs(because="it returns the result alone"),
        "hangup": Differs(because="it takes a cause, and returns when the call's media is closed"),
        "layoutEvent$": Differs("`events_stream`", BY_EVENT + ': `events_stream("layout.changed")`'),
        "layoutUpdates$": Differs("`events_stream`", BY_EVENT + ': `events_stream("layout.changed")`'),
        "localSpeaking$": Differs("`local_speaking`, `local_audio_level_stream`", "it is measured once a second"),
        "localStream$": PROVIDER,
        "locked$": Differs("`locked`, `room_stream`", ROOM),
        "mediaDirections$": Differs(
            "`media_directions`, `muted_stream`, `far_held_stream`", "mutes and holds change no direction here"
        ),
        "memberJoined$": Differs("`events_stream`", BY_EVENT + ': `events_stream("member.joined")`'),
        "memberLeft$": Differs("`events_stream`", BY_EVENT + ': `events_stream("member.left")`'),
        "memberTalking$": Differs("`events_stream`", BY_EVENT + ': `events_stream("member.talking")`'),
        "memberUpdated$": Differs("`events_stream`", BY_EVENT + ': `events_stream("member.updated")`'),
        "meta$": Differs("`meta`, `room_stream`", ROOM),
        "nodeId$": Differs("`node_id`, `status_stream`", "the status tells when it may have changed"),
        "notifyModifyFailed": INNER,
        "options": Differs("`media_directions`, `user_variables`", "what was asked for"),
        "qualityScore$": Differs(because="None before the first measurement, where the reference says 5"),
        "raiseHandPriority$": Differs("`raise_hand_priority`, `room_stream`", ROOM),
        "recording$": Differs("`recording`, `room_stream`", ROOM),
        "recoveryEvent$": Differs(because="“video_off” and “video_on” " + NEEDS_BITRATE),
        "reject": Differs(because="a coroutine that takes a cause, USER_BUSY unless another is given"),
        "remoteStream$": Differs("`AiortcMedia.tracks_stream`", PROVIDER.because),
        "requestIceRestart": Differs(because="`relay_only=True` keeps the new path to a relay"),
        "requestKeyframe": Differs(because="it returns whether it was asked"),
        "rtcPeerConnection": PROVIDER,
        "selfId$": Differs("`self_id`, `self_stream`", "it changes when our member does"),
        "sendDigits": Differs(
            because='by verto.info as there; with `way="media"`, and while the service is out of reach, as telephone '
            "events (RFC 4733) where the provider and the far end know them"
        ),
        "setMeta": UNBUILT,
        "startRecording": UNBUILT,
        "startStreaming": UNBUILT,
        "subscribe": Differs(because="a coroutine: the service is asked before the events come"),
        "transfer": Differs(because="it takes the address alone"),
        "streaming$": Differs("`streaming`, `room_stream`", ROOM),
        "toggleIncomingAudio": Differs(because="the reference raises “unimplemented”"),
        "toggleIncomingVideo": Differs(because="the reference raises “unimplemented”"),
        "updateMeta": UNBUILT,
        "userVariables$": Differs("`user_variables`", "they do not change in a call"),
        "webrtcMessages$": Differs("`status_stream`, `digits_stream`, `info_stream`", "what the messages mean"),
    },
    "Participant": {
        "callId": Differs(because="of the member's own leg, not our `WebRTCCall.id`; “” until the service tells it"),
        "destroy": OUTLIVES,
        "destroyed$": Differs("`WebRTCCall.participants_stream`", "it no longer holds a member who left"),
        "setAudioInputVolume": Differs(because=AS_SERVED),
        "setAudioOutputVolume": Differs(because=AS_SERVED),
        "setMeta": UNBUILT,
        "updateMeta": UNBUILT,
        "value": Differs(because="the member as the service describes it"),
    },
    "SelfParticipant": {
        "addAdditionalDevice": SCREEN,
        "addAudioInputDevice": Differs("`SignalWire.enable_audio_input`", CLIENT_WIDE),
        "addInputDevices": Differs("`SignalWire.enable_audio_input`, `SignalWire.enable_video_input`", CLIENT_WIDE),
        "addVideoInputDevice": Differs("`SignalWire.enable_video_input`", CLIENT_WIDE),
        "destroy": OUTLIVES,
        "disableStudioAudio": Differs(because="it tells the service only"),
        "enableStudioAudio": Differs(
            because="it tells the service only; the media is told by `WebRTCCall.set_echo_cancellation()` and its like"
        ),
        "removeAdditionalDevice": SCREEN,
        "screenShareStatus$": SCREEN,
        "selectAudioInputDevice": Differs("`SignalWire.select_audio_input_device`", CLIENT_WIDE),
        "selectAudioOutputDevice": Differs("`SignalWire.select_audio_output_device`", CLIENT_WIDE),
        "selectVideoInputDevice": Differs("`SignalWire.select_video_input_device`", CLIENT_WIDE),
        "setAudioInputDeviceConstraints": Differs(
            "`WebRTCCall.set_echo_cancellation`, `WebRTCCall.set_noise_suppression`, "
            "`WebRTCCall.set_auto_gain_control`",
            "only what a media provider can do",
        ),
        "setInputDevicesConstraints": SETTINGS,
        "setVideoInputDeviceConstraints": SETTINGS,
        "startScreenShare": SCREEN,
        "stopScreenShare": SCREEN,
    },
    "SelfCapabilities": {"destroy": OUTLIVES, "destroyed$": OUTLIVES},
    "ClientSession": {
        "execute": Differs(because=UNWRAPPED),
    },
    "Address": {
        "activity$": Differs("`ClientSession.calls_stream`", "it holds every call, each with its `to` and `from_`"),
        "destroy": nothing("there is nothing to free"),
        "destroyed$": nothing("there is nothing to free"),
        "history$": MESSAGING,
        "sendText": MESSAGING,
        "state": nothing("every field of it is a property"),
        "textMessage": MESSAGING,
        "textMessages$": MESSAGING,
    },
    "User": {
        "destroy": PLAIN,
        "destroyed$": PLAIN,
        "fetched$": Differs("`SignalWire.user_stream`", "None until it is fetched"),
        "fromPath": INNER,
    },
    "ClientPreferences": {
        "autoMuteVideoOnHidden": PAGELESS,
        "checkConnectionOnVisible": PAGELESS,
        "connectionTimeout": constant(
            reconnect, "ATTEMPT_TIMEOUT_S", "fixed; `Options.connect_timeout_s` bounds connect() as a whole"
        ),
        "defaultAudioConstraints": SETTINGS,
        "defaultVideoConstraints": SETTINGS,
        "degradationBitrateThreshold": constant(recovery_policy, "VIDEO_OFF_BPS"),
        "degradationRecoveryThreshold": constant(recovery_policy, "VIDEO_ON_BPS"),
        "deviceDebounceTime": constant(devices, "DEBOUNCE_S"),
        "devicePollingInterval": nothing("the provider tells (`DeviceProvider.devices_changed_stream`)"),
        "disableUdpIceServers": Differs("`ice_servers`", "set it to those that are wanted"),
        "enableAutoDegradation": nothing("always, but " + NEEDS_BITRATE),
        "enableNetworkChangeDetection": Differs("`Options.watch_network`", "connection and calls are checked at once"),
        "enableRelayFallback": constant(
            recovery_policy,
            "ANY_PATH",
            "always: TURN servers are tried beside the direct paths from the start, and alone after so many tries",
        ),
        "enableSavePreferences": nothing("preferences last as long as the client; the program sets them"),
        "enableServerHangupInterception": nothing("when the service ends a call, it is over"),
        "iceCandidateTimeout": GATHERING,
        "iceDisconnectedGracePeriod": constant(recovery_policy, "GRACE_S"),
        "iceGatheringTimeout": GATHERING,
        "iceRestartTimeout": constant(recovery_policy, "RESTART_TIMEOUT_S"),
        "inputAudioConstraints": SETTINGS,
        "inputVideoConstraints": SETTINGS,
        "keyframeBurstWindow": constant(recovery_policy, "KEYFRAME_WINDOW_S"),
        "keyframeCooldown": constant(recovery_policy, "KEYFRAME_COOLDOWN_S"),
        "keyframeMaxBurst": constant(recovery_policy, "KEYFRAME_BURST"),
        "maxRecoveryAttempts": constant(recovery_policy, "MAX_RESTARTS"),
        "persistDeviceSelection": nothing("the choice is kept in `SignalWire(storage=)`, always"),
        "preferredAudioCodecs": SETTINGS,
        "preferredAudioInput": Differs("`SignalWire.select_audio_input_device`", KEPT),
        "preferredAudioOutput": Differs("`SignalWire.select_audio_output_device`", KEPT),
        "preferredVideoCodecs": SETTINGS,
        "preferredVideoInput": Differs("`SignalWire.select_video_input_device`", KEPT),
        "reconnectCallsTimeout": Differs(
            "`Options.take_up_calls`", "nothing waits: a call that the service still holds is taken up when it says so"
        ),
        "reconnectDelayMax": Differs("`Options.longest_delay_s`", "set once, when the client is made"),
        "reconnectDelayMin": constant(reconnect, "FIRST_DELAY_S"),
        "recoveryCooldown": constant(recovery_policy, "COOLDOWN_S"),
        "recoveryDebounceTime": constant(recovery_policy, "GRACE_S", "fixed; it is the only wait"),
        "refreshDevicesOnVisible": PAGELESS,
        "reinviteDebounceTime": nothing("each change is sent at once, in its order"),
        "reinviteMaxAttempts": constant(
            recovery_policy, "MAX_RESTARTS", "fixed, for ICE restarts; another change is tried once"
        ),
        "reinviteTimeout": constant(outbox, "REQUEST_TIMEOUT_S"),
        "relayHost": Differs("`Options.relay_url`", "set once, when the client is made"),
        "relayOnly": Differs(because="with a provider that cannot keep to relays no call is made"),
        "statsBaselineSamples": constant(quality, "BASELINE_SAMPLES"),
        "statsHistorySize": constant(quality, "HISTORY_SAMPLES"),
        "statsJitterSpikeMultiplier": constant(quality, "JITTER_SPIKE"),
        "statsNoPacketThreshold": constant(quality, "NO_PACKETS_S"),
        "statsPacketLossThreshold": constant(quality, "LOSS_WARNING_PERCENT"),
        "statsPollingInterval": constant(media_monitor, "LOOK_S"),
        "statsRttSpikeMultiplier": constant(quality, "RTT_SPIKE"),
        "stereoAudio": SETTINGS,
        "syncDevicesToActiveCalls": nothing("`DeviceProvider.use()` switches the device itself, always"),
    },
    "Options": {
        "debug": LOGGING,
        "logLevel": LOGGING,
        "logger": LOGGING,
        "persistSession": Differs("`SignalWire(storage=)`", "what resumes the session is kept there, if it is a file"),
        "reconnectAttachedCalls": Differs("`take_up_calls`", "on unless said otherwise"),
        "savePreferences": nothing("what is chosen is kept in `SignalWire(storage=)`, always"),
        "skipConnection": nothing("nothing connects before `connect()`"),
        "skipDeviceMonitoring": nothing("the client watches no devices before `enable_device_monitoring()`"),
        "skipRegister": nothing("nothing registers before `register()`"),
        "storageImplementation": Differs("`SignalWire(storage=)`", "of the client"),
        "webRTCApiProvider": Differs("`SignalWire(media=)`", "a provider of peer connections with their media"),
        "webSocketConstructor": Differs("`connector`", "it opens the socket, too"),
    },
    "SignalWire.dial": {
        **OPENED_BY_PROVIDER,
        "nodeId": nothing("the service chooses the node"),
        "preferredAudioCodecs": CODECS,
        "preferredVideoCodecs": CODECS,
        "stereo": nothing("a device has one microphone and one loudspeaker"),
    },
    "WebRTCCall.answer": OPENED_BY_PROVIDER,
    "SignalWire.preflight": {
        "audioDevice": Differs("`audio`", CLIENT_WIDE),
        "videoDevice": Differs("`video`", CLIENT_WIDE),
        "duration": Differs("`duration_s`", "seconds, as everywhere here"),
        "skipMediaTest": nothing("a test without media is a connection, which `is_connected` tells of"),
    },
    "SignalWire.select_audio_input_device": {"savePreference": nothing(KEPT)},
}
"""Our answer to each member of the reference that is not simply there under its name."""

OURS_ALONE: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "SignalWire": (
        (("renew", "wait_ended"), "for a program that runs for years and looks after its own connection"),
        (("overdue_s", "why_not_connected"), "they tell a watchdog and a log how the connection is"),
    ),
    "WebRTCCall": (
        (
            ("mute", "unmute", "mute_video", "unmute_video", "audio_muted", "video_muted", "muted_stream"),
            "also in a call whose service tells no members",
        ),
        (("hold", "unhold", "held", "held_stream", "far_held", "far_held_stream"), "both ends may hold"),
        (("digits_stream", "keys_stream"), "the keys that the far end presses"),
        (("send_info", "info_stream"), "messages between the applications at both ends"),
        (("transfer_asked_stream",), "the far end asks, the program decides"),
        (("media_kinds",), "what `media_directions` says, in two words"),
        (("end_cause", "wait_destroyed"), "why the call ended, and when nothing is left of it"),
        (("far_end_kind",), "a space tells doors from residents' devices"),
        (("answered_address",), "a space tells which of several addresses answered"),
        (("far_end_is_there", "recovery_progress"), "how a broken call is mended"),
        (("load_layouts", "events_stream", "room_stream"), "in place of a member for each"),
    ),
    "Options": (
        (("relay_url", "api_url"), "for a service of one's own; the credential's otherwise"),
        (("agent",), "how the service sees the program"),
        (("others_may_mute",), "a door decides who may mute it"),
        (("client_bound",), "a token that is bound to the device, or not"),
        (("connect_timeout_s", "longest_delay_s", "watch_network"), "how a device that runs for years reconnects"),
        (("request_json", "random"), "for tests: HTTP, and chance"),
    ),
}
"""Public members of ours that the reference does not have, and what they are for."""
