"""The configuration's tables, one dataclass per part of the door station: type, range, default and documentation."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from intercom.config.api import ApiConfig
from intercom.config.call_plan import STEPS_LIMIT, StepConfig
from intercom.config.fields import (
    API_URL,
    CALLER,
    DATE,
    DESTINATION,
    DIGITS,
    LISTEN,
    OPENER,
    PATH,
    RELAY_URL,
    TIME,
    entries,
    setting,
)
from intercom.config.mqtt import MqttConfig
from intercom.config.notify import ENTRIES_LIMIT, NotifyConfig
from intercom.config.panel import GPIO_HIGHEST, NO_GPIO, PanelConfig
from intercom.config.prompts import REPLIES_LIMIT, PromptsConfig, ReplyConfig
from intercom.config.recorders import OnvifConfig, RtspConfig
from intercom.config.space import SpaceConfig
from intercom.config.table import Table
from intercom.config.webhooks import WEBHOOKS_LIMIT, WebhookConfig
from intercom.languages import LANGUAGES


class AccountConfig(Table):
    """The door's account: the credential it signs in with, and the service."""

    credential: str = setting(
        "space",
        "What the door signs in with: `space` for the embedded space of this house, `token-file` for a SignalWire "
        "subscriber access token in `credential_file`.",
        choices=("space", "token-file"),
    )
    credential_file: str = setting(
        "",
        "The file that holds the credential, mode 0600. Empty: `door.json` in the state directory of the door, else in "
        "that of the embedded space, which writes it. Needed for `token-file`.",
        shape=PATH,
    )
    relay_url: str = setting(
        "", "WebSocket of the service. Empty: what the credential says, else SignalWire.", shape=RELAY_URL
    )
    api_url: str = setting(
        "", "HTTP interface of the service. Empty: what the credential says, else SignalWire.", shape=API_URL
    )


class CallConfig(Table):
    """Whom the button rings, for how long, and who is answered without asking."""

    ring: str = setting(
        "/private/house",
        "The address that the button rings, where `[[call.plan]]` names no others. In the embedded space "
        "`/private/house` is everyone.",
        shape=DESTINATION,
    )
    ring_time_s: float = setting(
        60.0,
        "Seconds that it rings, whoever is there or comes (back) meanwhile, before the door gives up. A service other "
        "than the embedded space may give up sooner.",
        low=1,
        high=600,
    )
    time_limit_s: float = setting(
        300.0,
        "Seconds after which a call is ended, so that a forgotten one does not keep the door busy.",
        low=2,
        high=86_400,
    )
    warning_before_end_s: float = setting(
        10.0,
        "A beep sounds this many seconds before the time limit, to both who talk. From then on a tap on the page, or "
        "the key `#` of a telephone, gives the call its whole time again. 0: none, and the call cannot be prolonged.",
        low=0,
        high=120,
    )
    auto_answer: tuple[str, ...] = setting(
        (),
        "Addresses whose calls the door answers by itself. `residents` are the phones and tablets of the house, which "
        "the embedded space knows; `/private/*` is every subscriber of the service but its doors: a door counts only "
        "when its own address is named. Anyone else who calls the door only rings there, and the button answers.",
        shape=CALLER,
    )
    auto_answer_delay_s: float = setting(0.0, "Seconds that the door rings before it answers by itself.", low=0, high=5)
    video: bool = setting(True, "Send the camera's picture.")
    far_end_may_mute: bool = setting(
        False,
        "Let whoever talks with the door mute its microphone, stop its picture and change how loud it plays them, "
        "where the service has members, as the embedded space does. The light shows it, and it ends with the call.",
    )
    viewers_talk: bool = setting(
        False,
        "Let those who watch with a token that allows it (`intercom space viewer add NAME --talk`) hear whoever is at "
        "the door, and speak there while it talks with nobody: the two-way sound of go2rtc and Home Assistant. The "
        "microphone is then live while one of them watches. Off, they see it without sound. See "
        "[viewers.md](viewers.md).",
    )
    holidays: tuple[str, ...] = setting(
        (),
        "Dates on which a step of `[[call.plan]]` counts only if its `days` are empty or name `holiday`.",
        shape=DATE,
    )
    plan: tuple[StepConfig, ...] = entries(STEPS_LIMIT)


class AudioConfig(Table):
    """The sound card: the speaker and the microphone at the door."""

    card: str = setting(
        "auto",
        "`auto` takes the card that was used before, else the best that is plugged in: a USB speakerphone first, HDMI "
        "last; `intercom devices` says which and why. `simulated` needs no hardware. Anything else is an ALSA name, "
        "for example `plughw:CARD=Device`.",
    )
    capture: str = setting("", "ALSA name of the microphone, when it is another card.")
    playback: str = setting("", "ALSA name of the speaker, when it is another card.")
    echo_canceller: str = setting(
        "webrtc",
        "What keeps the house from hearing itself. `none` for a speakerphone that cancels echo by itself; `livekit` is "
        "another build of the same (`pip install intercom[livekit]`).",
        choices=("webrtc", "livekit", "none"),
    )
    half_duplex: bool = setting(
        False, "Silence the door while the house speaks: for a box whose speaker is too loud for any canceller."
    )
    speaker_gain_db: float = setting(
        0.0, "Louder or softer speaker. Turn it down if callers hear echo.", low=-60, high=20
    )
    microphone_gain_db: float = setting(0.0, "Louder or softer microphone.", low=-60, high=20)
    dtx: bool = setting(
        False,
        "Send nothing while it is quiet at the door (Opus discontinuous transmission): saves data on a metered line. "
        "Some telephone servers take the silence for a lost call.",
    )
    redundancy: bool = setting(
        True,
        "Send each packet of sound with the last ones in it, and take the far end's so, where it knows redundant "
        "audio (RFC 2198), as Chrome and Edge do: fewer words are lost on a bad network, for about 50 kbit/s more. "
        "Turn it off for a far end that agrees to it and then hears nothing.",
    )
    night_from: str = setting(
        "", "Local time from which the speaker is quieter, for example `22:00`. Empty: it never is.", shape=TIME
    )
    night_to: str = setting("07:00", "Local time at which it is as loud as by day again.", shape=TIME)
    night_speaker_db: float = setting(-10.0, "Change of the speaker's level at night.", low=-60, high=0)
    tones_dir: str = setting(
        "",
        "Directory of sounds that replace the door's own: `chime.wav`, `ringback.ogg`, `busy.mp3` and so on, and what "
        "it says, such as `rings.wav` or `rings.de.wav`. Empty: none do.",
        shape=PATH,
    )
    simulated_voice: str = setting(
        "", "WAV file that the simulated microphone speaks. Empty: the one in the package.", shape=PATH
    )
    simulated_recording: str = setting("", "WAV file into which the simulated speaker writes. Empty: none.", shape=PATH)


class CameraConfig(Table):
    """The picture that the house sees. The camera runs only while ringing, in a call, for a snapshot or for a look,
    unless it is always on."""

    source: str = setting(
        "auto",
        "`picamera2` is the Raspberry Pi camera, `v4l2` a USB one, `pattern` a moving test picture; `auto` takes the "
        "first of these that is there.",
        choices=("auto", "picamera2", "v4l2", "pattern", "off"),
    )
    device: str = setting("/dev/video0", "Device of a `v4l2` camera.", shape=PATH)
    width: int = setting(1280, "Pixels across; even.", low=160, high=1920)
    height: int = setting(720, "Pixels down; even.", low=120, high=1088)
    frame_rate: int = setting(25, "Pictures a second.", low=1, high=60)
    bitrate_kbps: int = setting(1500, "Most that the picture may take of the network.", low=100, high=10_000)
    vp8: bool = setting(
        True,
        "Encode the picture once more, smaller, as VP8 for a browser that has no H.264, such as a Firefox without its "
        "OpenH264 plugin. That takes a tenth of a fast core while such a browser looks. Turn it off on a small board; "
        "the page then says why it shows no picture.",
    )
    look: bool = setting(
        False,
        "Let the house's phones and tablets look through the camera at any time, without sound, and those who watch "
        "with a token for as long as they like (see [viewers.md](viewers.md)). Off, they see it while the door rings "
        "them or talks with them. The camera's light is on while somebody looks, and the log says who. "
        "Mind the law where you live: a camera that sees the street may not look at it without a reason.",
    )
    always_on: bool = setting(
        False,
        "Let the camera run all the time, so that the picture is there with the press: a Raspberry Pi camera takes one "
        "to two seconds to start, and the ring does not wait for it. Its light is then always on; what it costs "
        "stands in [viewers.md](viewers.md#a-camera-that-is-always-on). It needs `camera.source` to name the camera: "
        "`auto` chooses anew at each start.",
    )
    light_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a light that is on while the camera runs. -1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )
    forbid_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a switch to ground that holds the camera off while it is closed. -1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )


class DoorConfig(Table):
    """The relay of the door opener, who may use it, and what is wired to the door itself."""

    relay_gpio: int = setting(24, "GPIO (BCM) number of the relay.", low=0, high=GPIO_HIGHEST)
    relay_active_high: bool = setting(True, "Whether a high pin opens the door.")
    pulse_s: float = setting(1.5, "Seconds that the door stays open for one command.", low=0.1, high=7)
    cap_s: float = setting(
        7.0, "Seconds after which the relay goes off, whatever commands come and whatever crashes.", low=0.1, high=7
    )
    open_digits: str = setting(
        "9",
        "Telephone keys that open the door in a call. Empty: none do. A secret: nothing shows them.",
        shape=DIGITS,
        may_be_empty=True,
        secret=True,
    )
    keys_in_sound: bool = setting(
        False,
        "Take keys also from the far end's sound, for a telephone that can send them in no other way. Whoever can play "
        "a tone into the call presses keys then; the door leaves out what it sent itself a moment ago.",
    )
    openers: tuple[str, ...] = setting(
        ("*",),
        "Who may open the door with these keys: the address that the door rang, or the caller's. `*` is whomever the "
        "door rang. A caller never falls under `*`: to open the door in a call that they make, they are named here; "
        "`residents` are all phones and tablets of the house. To be on `call.auto_answer` is not enough. A door opens "
        "no other, and an address of `/public` never opens.",
        shape=OPENER,
    )
    contact_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a contact to ground that tells whether the door stands open. -1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )
    contact_closed_with_door: bool = setting(
        True,
        "Whether the contact is closed while the door is, as a reed contact beside its magnet: a cut wire then reads "
        "as an open door.",
    )
    forced_after_s: float = setting(
        10.0,
        "A door that opens later than this many seconds after its relay went off was forced. 0: none is, for a door "
        "that people also open by a key or a handle.",
        low=0,
        high=3600,
    )
    held_open_s: float = setting(
        120.0, "Seconds after which a door that stands open counts as held open. 0: it never does.", low=0, high=86_400
    )
    exit_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a button to ground, inside the house, that opens the door, with the network down too. "
        "-1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )
    tamper_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a switch to ground that is closed while the box of the door station is. Once it opens, "
        "or its wire is cut, no keys open the door until it has been closed for 30 minutes. -1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )


class HistoryConfig(Table):
    """The call log, which `intercom calls` shows, and the visitors on the page: who rang, who answered, who opened."""

    keep_calls: int = setting(
        1000,
        "Calls that are remembered, and visitors. 0: none are, and the page has no list of visitors.",
        low=0,
        high=1_000_000,
    )
    keep_days: int = setting(90, "Days after which a call, or a visitor, is forgotten.", low=1, high=3650)
    snapshots: bool = setting(
        False,
        "Keep a picture of who rang, as long as the call is remembered: on the door, and for the page's visitors with "
        "the space. Mind the law where you live; each takes some 50 KB of the card.",
    )
    messages: bool = setting(
        False,
        "Take a message of up to 30 s from a visitor whom nobody answers: the door asks for it by sound and light, and "
        "records sound and picture. It goes to the house's space, and everybody is told; without a space it stays at "
        "the door (`intercom messages`). A space on another machine keeps it only if this is on there too. With "
        "`keep_calls` = 0 the space keeps none. Mind the law where you live. See [messages.md](messages.md).",
    )
    messages_mb: int = setting(
        200,
        "Megabytes that all messages together may take; the oldest go first, and those that are older than "
        "`keep_days`. One takes some 6 MB with the usual picture, and 0.1 MB without.",
        low=20,
        high=100_000,
    )


class MetricsConfig(Table):
    """Figures for Prometheus. Off by default; `intercom metrics` prints them anyway."""

    listen: str = setting(
        "",
        "Where they are served at `/metrics`, for example `127.0.0.1:9481`. Empty: nowhere.",
        shape=LISTEN,
    )
    textfile: str = setting(
        "",
        "File ending in `.prom` that is written every 15 s for the node exporter; keep it in memory, for example "
        "`$RUNTIME_DIRECTORY/intercom.prom`. Empty: none.",
        shape=PATH,
    )


class LogConfig(Table):
    """The log."""

    level: str = setting("info", "The least that is logged.", choices=("debug", "info", "warning", "error"))


class Config(Table):
    """The whole configuration; the settings at the top of the file, then one table per part."""

    state_dir: str = setting(
        "",
        "Directory for what must survive a restart. Empty: `$STATE_DIRECTORY` (systemd), else "
        "`$XDG_STATE_HOME/intercom`, else `~/.local/state/intercom`. Leave it empty for the installed services: each "
        "has a user and a directory of its own.",
        shape=PATH,
    )
    language: str = setting(
        "en",
        "Language of the house, in which the services of `[[notify]]` tell people what happens. The page, and the one "
        "on which a device learns to trust the house, speak the language of each phone and tablet; the latter this one "
        "where it does not know theirs.",
        choices=LANGUAGES,
    )
    account: AccountConfig = AccountConfig()
    call: CallConfig = CallConfig()
    audio: AudioConfig = AudioConfig()
    prompts: PromptsConfig = PromptsConfig()
    camera: CameraConfig = CameraConfig()
    panel: PanelConfig = field(default=PanelConfig())
    door: DoorConfig = DoorConfig()
    space: SpaceConfig = SpaceConfig()
    history: HistoryConfig = HistoryConfig()
    notify: tuple[NotifyConfig, ...] = entries(ENTRIES_LIMIT)
    reply: tuple[ReplyConfig, ...] = entries(REPLIES_LIMIT)
    rtsp: RtspConfig = RtspConfig()
    mqtt: MqttConfig = MqttConfig()
    onvif: OnvifConfig = OnvifConfig()
    metrics: MetricsConfig = MetricsConfig()
    api: ApiConfig = field(default=ApiConfig())
    webhook: tuple[WebhookConfig, ...] = entries(WEBHOOKS_LIMIT)
    log: LogConfig = LogConfig()

    def credential_path(self, state_dir: Path, environ: Mapping[str, str]) -> Path:
        """Return the path of the door's credential: the configured file, the door's own, or the house's space's.

        `$INTERCOM_SPACE_STATE` is the state directory of a space that has a user of its own.
        """
        if self.account.credential_file:
            return Path(self.account.credential_file)
        own, space = state_dir / "door.json", environ.get("INTERCOM_SPACE_STATE")
        return Path(space) / "door.json" if space and not own.exists() else own

    def state_path(self, environ: Mapping[str, str]) -> Path:
        """Return the state directory, with `environ` as the process's environment; it need not exist."""
        if self.state_dir:
            return Path(self.state_dir)
        if given := environ.get("STATE_DIRECTORY"):
            return Path(given.split(":")[0])
        if base := environ.get("XDG_STATE_HOME"):
            return Path(base) / "intercom"
        return Path(environ.get("HOME") or Path.home(), ".local/state/intercom")
