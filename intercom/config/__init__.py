"""Every setting of the intercom: its type, range, default and documentation, in one place.

Begin with `schema.py`.

A configuration is a TOML file with one table per dataclass of `schema.py`. `load` reads it, `check` lists what
is wrong with it, `example` and `reference_markdown` write its documentation. Few secrets stand in it, and no other
place shows them.
"""

import logging
import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from intercom.address import Address, Form
from intercom.config.api import ApiConfig
from intercom.config.call_plan import StepConfig
from intercom.config.mqtt import MqttConfig
from intercom.config.notify import NotifyConfig
from intercom.config.panel import NO_GPIO, ButtonConfig, PanelConfig
from intercom.config.places import check_places
from intercom.config.plan_check import check_plans, check_ring
from intercom.config.prompts import PromptsConfig, ReplyConfig
from intercom.config.reader import Problem, Reading
from intercom.config.recorders import OnvifConfig, RtspConfig
from intercom.config.render import example_toml, reference
from intercom.config.schema import (
    AccountConfig,
    AudioConfig,
    CallConfig,
    CameraConfig,
    Config,
    DoorConfig,
    HistoryConfig,
    LogConfig,
    MetricsConfig,
)
from intercom.config.space import SpaceConfig
from intercom.config.webhooks import WebhookConfig
from intercom.net import is_loopback, split_listen

__all__ = [
    "NO_GPIO",
    "AccountConfig",
    "ApiConfig",
    "AudioConfig",
    "ButtonConfig",
    "CallConfig",
    "CameraConfig",
    "Config",
    "ConfigError",
    "DoorConfig",
    "HistoryConfig",
    "LogConfig",
    "MetricsConfig",
    "MqttConfig",
    "NotifyConfig",
    "OnvifConfig",
    "PanelConfig",
    "Problem",
    "PromptsConfig",
    "Reading",
    "ReplyConfig",
    "RtspConfig",
    "SpaceConfig",
    "StepConfig",
    "WebhookConfig",
    "check",
    "check_and_read",
    "example",
    "load",
    "loads",
    "reference_markdown",
]

logger = logging.getLogger(__name__)

FILE_LIMIT_BYTES = 65_536
"""Size limit of a configuration file; the example, with every setting and comment, is a seventh of this."""


class ConfigError(ValueError):
    """A configuration with problems; the error lists each one with its line."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n  ".join([f"{source}: {count}:", *map(str, problems)]))


def load(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Load the configuration from this file; None gives all defaults.

    The paths in it are made whole: "~/" and "$NAME/" from `environ`, relative ones from the file's directory.
    Raises ConfigError, with every problem at once, if the file cannot be read or used.
    """
    if path is None:
        return Config()
    config, problems = _read(path, environ)
    if problems:
        raise ConfigError(str(path), problems)
    return config


def loads(text: str, directory: Path = Path(), environ: Mapping[str, str] = os.environ) -> Config:
    """Load the configuration from TOML text, as if it stood in a file in `directory`.

    Raises ConfigError with every problem at once.
    """
    config, problems = _parse(text, directory, environ)
    if problems:
        raise ConfigError("configuration", problems)
    return config


def check(path: Path) -> list[Problem]:
    """Return every problem of this file, in the file's order.

    Unlike `load` it looks at the files and directories that the settings name as well.
    """
    return check_and_read(path)[1]


def check_and_read(
    path: Path, *, also: Callable[[Config, Reading], None] = lambda config, reading: None
) -> tuple[Config, list[Problem]]:
    """Return the configuration in this file, and every problem that `check` finds, or that `also` reports."""

    def look(config: Config, reading: Reading) -> None:
        check_places(config, reading)
        check_ring(config, reading)
        also(config, reading)

    return _read(path, os.environ, look)


def example() -> str:
    """Return a TOML file that sets nothing: every setting with its documentation and its default, commented out."""
    return example_toml(Config)


def reference_markdown() -> str:
    """Return the configuration reference in Markdown: one table of settings per TOML table."""
    return reference(Config)


def _read(
    path: Path, environ: Mapping[str, str], also: Callable[[Config, Reading], None] = lambda config, reading: None
) -> tuple[Config, list[Problem]]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if isinstance(error, PermissionError):
            reason = f"{reason}. Use sudo, or name a file of your own"
        return Config(), [Problem(None, "", f"the file cannot be read: {reason}")]
    if len(data) > FILE_LIMIT_BYTES:
        return Config(), [
            Problem(None, "", f"the file is larger than {FILE_LIMIT_BYTES // 1024} KiB: is it the right one?")
        ]
    try:
        return _parse(data.decode("utf-8-sig"), path.parent, environ, also)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Config(), [Problem(line, "", "this is not UTF-8 text: save the file as UTF-8")]


def _parse(
    text: str,
    directory: Path,
    environ: Mapping[str, str],
    also: Callable[[Config, Reading], None] = lambda config, reading: None,
) -> tuple[Config, list[Problem]]:
    reading = Reading(Config, text, lambda path: _whole_path(path, directory, environ))
    config: Config = reading.read()
    _check_across(config, reading)
    also(config, reading)
    for note in reading.notes:
        logger.warning("The configuration in %s, %s", directory, note)
    return config, reading.problems


def _whole_path(path: str, directory: Path, environ: Mapping[str, str]) -> str:
    """Make a path absolute; leave an unset variable as it is, as the program that opens the file then names it."""
    first, slash, rest = path.partition("/")
    if slash and first == "~":
        return str(Path(environ.get("HOME") or Path.home(), rest))
    if slash and first.startswith("$"):
        return str(Path(environ.get(first[1:]) or first, rest))
    return str(directory / path)


def _check_across(config: Config, reading: Reading) -> None:
    """Report the problems that no setting has alone."""
    if config.account.credential == "token-file" and not config.account.credential_file:
        reading.report(("account", "credential"), 'with "token-file", set account.credential_file to the token\'s file')
    for table, name in (("call", "auto_answer"), ("door", "openers")):
        if config.account.credential != "space" and "residents" in getattr(getattr(config, table), name):
            reading.report((table, name), "only the embedded space knows its residents: name addresses instead")
    _check_openers(config, reading)
    if config.call.warning_before_end_s >= config.call.time_limit_s:
        reading.report(("call", "warning_before_end_s"), "must be less than call.time_limit_s")
    _check_listeners(config, reading)
    if config.space.turn_listen and config.space.turn_url:
        reading.report(("space", "turn_url"), "leave it out, or space.turn_listen: there is one TURN server")
    if config.space.turn_url and not config.space.turn_secret_file:
        reading.report(("space", "turn_url"), "set space.turn_secret_file to the file with that server's shared secret")
    for name in ("width", "height"):
        if getattr(config.camera, name) % 2:
            reading.report(("camera", name), "must be even: H.264 halves the colour's resolution")
    if config.door.pulse_s > config.door.cap_s:
        reading.report(("door", "pulse_s"), f"must be at most door.cap_s ({config.door.cap_s:g})")
    _check_recorders(config, reading)
    _check_gpios(config, reading)
    if config.door.contact_gpio != NO_GPIO and not reading.says("door", "forced_after_s"):
        told = "whoever opens the door by a key or a handle counts as forcing it: say so with door.forced_after_s"
        reading.note(("door", "contact_gpio"), told)
    _check_notify(config, reading)
    _check_mqtt(config, reading)
    _check_webhooks(config, reading)
    check_plans(config, reading, date.today())
    _check_replies(config, reading)


def _check_listeners(config: Config, reading: Reading) -> None:
    """Report what would be served in clear, or on a port that is taken."""
    for name, table in (("space", config.space), ("api", config.api)):
        exposed = table.listen and table.tls == "off" and not is_loopback(split_listen(table.listen)[0])
        if exposed and not table.trusted_proxies:
            reading.report(
                (name, "tls"),
                'with "off" the secrets of the house would cross the network in clear: leave it out, or name the '
                f"reverse proxy that encrypts in {name}.trusted_proxies",
            )
    if config.api.key and not config.api.certificate:
        reading.report(("api", "key"), "set api.certificate to the file of the certificate too")
    if config.camera.always_on and config.camera.source == "auto":
        reading.report(("camera", "always_on"), 'name the camera in camera.source for it: "auto" chooses at each start')
    page = config.panel.page_listen if config.panel.pins != "gpio" else ""
    taken = {split_listen(config.space.listen)[1]: "space.listen"}
    for key, listen in ((("panel", "page_listen"), page), (("api", "listen"), config.api.listen)):
        port = split_listen(listen)[1] if listen else 0
        if port and port in taken:
            reading.report(key, f"port {port} is that of {taken[port]}: choose another")
        taken.setdefault(port, ".".join(key))


def _check_openers(config: Config, reading: Reading) -> None:
    """Report the addresses that opened the door in older versions because the door answered them by itself."""
    if not config.door.open_digits:
        return
    if any(entry not in config.door.openers for entry in config.call.auto_answer) and not reading.says(
        "door", "openers"
    ):
        reading.note(
            ("call", "auto_answer"),
            "who is answered by itself no longer opens the door by that: name them in door.openers as well, or write "
            'openers = ["*"] there if they shall not',
        )
    for entry in config.door.openers:
        if Address.parse(entry).form is Form.PUBLIC:
            reading.note(("door", "openers"), f"{entry} never opens: anybody may be behind an address of /public")
    if config.history.messages and not config.history.keep_calls:
        told = (
            "they stay at the door: with history.keep_calls = 0 the space keeps no visitor whose message it could show"
        )
        reading.note(("history", "messages"), told)


def _check_recorders(config: Config, reading: Reading) -> None:
    if config.onvif.listen and not config.rtsp.listen:
        reading.report(("onvif", "listen"), "set rtsp.listen too: ONVIF only names the stream, which RTSP serves")


def _check_notify(config: Config, reading: Reading) -> None:
    names: dict[str, int] = {}
    for number, entry in enumerate(config.notify, start=1):
        key = ("notify", str(number))
        if not entry.url and not reading.problems:
            reading.report(key, 'say where to: url = "ntfy://ntfy.sh/TOPIC", for example')
        if entry.name and entry.name in names:
            reading.report(
                (*key, "name"), f'"{entry.name}" is also the name of entry {names[entry.name]}: choose another'
            )
        names.setdefault(entry.name, number)


def _check_mqtt(config: Config, reading: Reading) -> None:
    mqtt = config.mqtt
    parts = urlsplit(mqtt.url)
    if not mqtt.url:
        for name in ("user", "password_file", "ca_file", "certificate", "may_open"):
            if getattr(mqtt, name):
                reading.report(("mqtt", name), 'say where the broker is: url = "mqtts://homeassistant.local"')
    elif parts.scheme == "mqtt":
        for name in ("ca_file", "certificate"):
            if getattr(mqtt, name):
                reading.report(("mqtt", name), 'leave it out, or encrypt: url = "mqtts://…"')
        if mqtt.may_open and not is_loopback(parts.hostname or ""):
            told = "with mqtt: whoever reads along in the network could open the door: write mqtts: in mqtt.url"
            reading.report(("mqtt", "may_open"), told)
    if mqtt.password_file and not mqtt.user:
        reading.report(("mqtt", "password_file"), "name the user whose password it is in mqtt.user")
    if mqtt.key and not mqtt.certificate:
        reading.report(("mqtt", "key"), "name the certificate that it belongs to in mqtt.certificate")


def _check_webhooks(config: Config, reading: Reading) -> None:
    names: dict[str, int] = {}
    for number, entry in enumerate(config.webhook, start=1):
        key = ("webhook", str(number))
        if not entry.url and not reading.problems:
            reading.report(key, 'say where to: url = "http://homeassistant.local:8123/api/webhook/ID", for example')
        if entry.name and entry.name in names:
            reading.report(
                (*key, "name"), f'"{entry.name}" is also the name of entry {names[entry.name]}: choose another'
            )
        names.setdefault(entry.name, number)


def _check_replies(config: Config, reading: Reading) -> None:
    names: dict[str, int] = {}
    for number, entry in enumerate(config.reply, start=1):
        key = ("reply", str(number))
        if not (entry.name and entry.text) and not reading.problems:
            reading.report(key, 'say what it is called and what it says: name = "coming", text = "I am coming."')
        if entry.name and entry.name in names:
            reading.report(
                (*key, "name"), f'"{entry.name}" is also the name of entry {names[entry.name]}: choose another'
            )
        names.setdefault(entry.name, number)
    if config.reply and not config.prompts.languages:
        reading.note(("reply", "1"), "the door does not speak: name its languages in prompts.languages")
    if config.prompts.auto_reply_s >= config.call.ring_time_s:
        reading.note(("prompts", "auto_reply_s"), "the door gives up before, after call.ring_time_s")


def _check_gpios(config: Config, reading: Reading) -> None:
    lights = {"rgb": ("red_gpio", "green_gpio", "blue_gpio"), "single": ("green_gpio",), "none": ()}
    buttons = [("panel", "button", str(number), "gpio") for number in range(1, len(config.panel.button) + 1)]
    used: list[tuple[tuple[str, ...], int]] = [
        (key, button.gpio) for key, button in zip(buttons, config.panel.button, strict=True)
    ]
    places = [("panel", name) for name in (*lights[config.panel.light], "bell_light_gpio", "chime_gpio")]
    places += [("door", name) for name in ("relay_gpio", "contact_gpio", "exit_gpio", "tamper_gpio")]
    places += [("camera", "light_gpio"), ("camera", "forbid_gpio")]
    if not config.panel.button:
        places.insert(0, ("panel", "button_gpio"))
    used += [((table, name), getattr(getattr(config, table), name)) for table, name in places]
    taken: dict[int, str] = {}
    for key, gpio in used:
        if gpio == NO_GPIO:
            continue
        if gpio in taken:
            reading.report(key, f"GPIO {gpio} is taken by {taken[gpio]}: choose another")
        taken.setdefault(gpio, ".".join(key))
