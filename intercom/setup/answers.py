"""The answers that `intercom setup` works with, from a person or from a file, and the settings that they change."""

from __future__ import annotations

import asyncio
import difflib
import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from intercom.config import DoorConfig
from intercom.config.fields import DESTINATION, NOTIFY_URL, WEBHOOK_SECRET, WEBHOOK_URL
from intercom.net import is_loopback, split_listen
from intercom.opening.auto_answer import HOUSE
from intercom.opening.decision import RESIDENTS
from intercom.setup.config_edit import Draft, DraftError, simple_next

NETWORK_LISTEN = "0.0.0.0:8443"
API_LISTEN = "0.0.0.0:8490"
CREDENTIAL = "$CREDENTIALS_DIRECTORY/token"
"""Path by which the unit hands over the token; see systemd/intercom.service."""
BROKER_FILE = "mqtt-password"
"""Name of the file with the password for the MQTT broker, beside the configuration."""
ANSWERS_LIMIT_BYTES = 16_384
"""Size limit of an answers file; every answer with a comment to each is a tenth of this."""
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""An ntfy topic, as ntfy allows it."""
SEE = "docs/setup.md lists them all"

SETTINGS = {
    "ring": ("call", "ring"),
    "pins": ("panel", "pins"),
    "button": ("panel", "button_gpio"),
    "light": ("panel", "light"),
    "red": ("panel", "red_gpio"),
    "green": ("panel", "green_gpio"),
    "blue": ("panel", "blue_gpio"),
    "relay": ("door", "relay_gpio"),
    "relay_active_high": ("door", "relay_active_high"),
    "chime": ("panel", "chime_gpio"),
    "bell_light": ("panel", "bell_light_gpio"),
    "contact": ("door", "contact_gpio"),
    "exit": ("door", "exit_gpio"),
    "tamper": ("door", "tamper_gpio"),
    "sound": ("audio", "card"),
    "speaks": ("prompts", "languages"),
    "camera": ("camera", "source"),
}
"""Answers that are one setting each."""


class Answers(Struct, kw_only=True, forbid_unknown_fields=True):
    """The answers of one setup; None keeps the present setting."""

    service: Literal["space", "signalwire"] | None = None
    network: bool | None = None
    """Whether phones and tablets on this network may answer the door (embedded space)."""
    answer_house: bool | None = None
    """Whether the door answers the house by itself and the house may then open it (embedded space)."""
    token_file: str | None = None
    """Path of the file with the subscriber access token (SignalWire); setup copies it."""
    ring: str | None = None
    ring_next: str | None = None
    """Address that rings when nobody has answered at the usual one; empty: none."""
    pins: Literal["auto", "gpio", "simulated"] | None = None
    button: int | None = None
    light: Literal["rgb", "single", "none"] | None = None
    red: int | None = None
    green: int | None = None
    blue: int | None = None
    relay: int | None = None
    relay_active_high: bool | None = None
    chime: int | None = None
    """GPIO number of the chime's relay, as of all that may be wired around the door; -1: there is none."""
    bell_light: int | None = None
    contact: int | None = None
    exit: int | None = None
    tamper: int | None = None
    door_has_key: bool | None = None
    """Whether people also open the door by a key or a handle, so that its contact tells of no force."""
    sound: str | None = None
    speaks: tuple[str, ...] | None = None
    """Languages in which the door speaks to the visitor; none: it has its tones alone."""
    camera: Literal["auto", "picamera2", "v4l2", "pattern", "off"] | None = None
    notify: str | None = None
    """Who else is told that somebody rings: an ntfy topic, or the URL of another service. A secret."""
    mqtt: str | None = None
    """URL of the house's MQTT broker, by which Home Assistant sees the door; empty: none."""
    mqtt_user: str | None = None
    """The door's user at the broker; empty: none."""
    mqtt_password_file: str | None = None
    """Path of the file with that user's password; setup copies it."""
    mqtt_may_open: bool | None = None
    """Whether the broker's users may open the door."""
    api: bool | None = None
    """Whether programs of the house may ask the door by HTTP; each needs a token."""
    webhook: str | None = None
    """URL of a program that is told by a webhook what happens. A secret."""
    webhook_secret: str | None = None
    """The key that signs what it is sent."""
    test_call: bool | str = False
    """Address for a test call, which must answer by itself; true is the space's echo."""


def read(text: str) -> Answers:
    """Parse the answers in this TOML; `DraftError` names the mistake."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DraftError(f"the answers are not TOML: {error}") from error
    names = Answers.__struct_fields__
    for name in document:
        if name not in names:
            likely = difflib.get_close_matches(name, names, n=1)
            raise DraftError(f"there is no answer {name[:40]!r}; " + (f"did you mean {likely[0]}?" if likely else SEE))
    try:
        return msgspec.convert(document, Answers)
    except msgspec.ValidationError as error:
        raise DraftError(f"the answers are not right: {_in_words(str(error))}") from error


def _in_words(said: str) -> str:
    """Translate an error of msgspec about a value for people."""
    found = re.fullmatch(r"Expected `(\w+)[^`]*`, got `(\w+)` - at `\$\.(\w+)`", said)
    if found is None:
        return said.replace("$.", "").replace(" - at", " for")
    kinds = {"int": "a whole number", "bool": "true or false", "str": "a text"}
    return f"{found[3]} takes {kinds.get(found[1], found[1])}, not {found[2]}"


def read_token(path: Path) -> str:
    """Return the token in a file; raises `DraftError` if there is none."""
    from intercom.signalwire.account.access_token import MAX_TOKEN_BYTES
    from intercom.signalwire.errors import InvalidCredentialsError

    try:
        with path.expanduser().open("rb") as file:
            return checked_token(file.read(MAX_TOKEN_BYTES).decode(errors="replace"), f"{path}")
    except OSError as error:
        raise DraftError(f"the token file {path} cannot be read: {error.strerror}") from error
    except InvalidCredentialsError as error:
        raise DraftError(str(error)) from error


def checked_token(text: str, source: str) -> str:
    """Return a token without the whitespace around it; raises `DraftError` if the text is no token."""
    from intercom.signalwire.account.access_token import credential_from
    from intercom.signalwire.errors import InvalidCredentialsError

    try:
        credential_from(text, source)
    except InvalidCredentialsError as error:
        raise DraftError(str(error)) from error
    return text.strip()


def read_password(path: Path) -> str:
    """Return the password in a file; raises `DraftError` if there is none."""
    from intercom.integrations.mqtt.broker import PASSWORD_LIMIT_BYTES

    try:
        with path.expanduser().open("rb") as file:
            found = file.read(PASSWORD_LIMIT_BYTES + 1)
    except OSError as error:
        raise DraftError(f"the password file {path} cannot be read: {error.strerror}") from error
    return checked_password(found.decode(errors="replace").strip("\r\n"))


def checked_password(text: str) -> str:
    """Return the password for the broker; raises `DraftError` if the text is none."""
    from intercom.integrations.mqtt.broker import PASSWORD_LIMIT_BYTES

    if not text or not text.isprintable() or len(text.encode()) >= PASSWORD_LIMIT_BYTES:
        raise DraftError("the password for the broker is one line of text")
    return text


def notify_url(said: str) -> str:
    """Return the URL for an ntfy topic, or the URL that was said; raises `DraftError` if it is neither."""
    url = f"ntfy://ntfy.sh/{said}" if TOPIC.fullmatch(said) else said
    if not NOTIFY_URL.accepts(url):
        raise DraftError(f"notify: expected an ntfy topic or {NOTIFY_URL.expected}")
    return url


def judged_notify_url(said: str) -> str:
    """Return what `notify_url` does, after asking apprise where it is installed; raises `DraftError`."""
    from intercom.notify.process import faults_of, is_installed

    url = notify_url(said)
    if is_installed() and (fault := asyncio.run(faults_of([url]))[0]):
        raise DraftError(f"notify: {fault}")
    return url


def checked_webhook_url(said: str) -> str:
    """Return the URL of a webhook; raises `DraftError` if it is none."""
    if not WEBHOOK_URL.accepts(said):
        raise DraftError(f"webhook: expected {WEBHOOK_URL.expected}")
    return said


def checked_key(said: str) -> str:
    """Return the key of a webhook, empty for none; raises `DraftError` if it is no key."""
    if said and not WEBHOOK_SECRET.accepts(said):
        raise DraftError(f"webhook_secret: expected {WEBHOOK_SECRET.expected}")
    return said


def apply(
    answers: Answers,
    draft: Draft,
    *,
    has_token: bool,
    has_password: bool = False,
    credential_file: str = CREDENTIAL,
) -> None:
    """Change the draft as answered; `DraftError` names the answer that does not fit.

    `has_token`: one is there; `has_password`: a new one for the broker is; `credential_file`: how the configuration
    names the token, and the password beside it.
    """
    if isinstance(answers.test_call, str) and not DESTINATION.accepts(answers.test_call):
        raise DraftError(f"test_call: expected true, false or {DESTINATION.expected}")
    was = draft.before
    credential = {"space": "space", "signalwire": "token-file"}.get(answers.service or "", was.account.credential)
    if credential == "space":
        _to_space(answers, draft)
    else:
        _to_signalwire(answers, draft, has_token=has_token, credential_file=credential_file)
    for name, (table, key) in SETTINGS.items():
        value = getattr(answers, name)
        if value is not None:
            draft.put(table, key, value)
    if answers.ring_next is not None:
        if answers.ring_next and not DESTINATION.accepts(answers.ring_next):
            raise DraftError(f"ring_next: expected {DESTINATION.expected}")
        draft.ring_next(answers.ring_next)
    if answers.notify:
        draft.tell(notify_url(answers.notify))
    if answers.door_has_key is not None:
        # Said even where it is the default: a contact without a word about it is remarked on at each start.
        forced_after_s = (
            0.0 if answers.door_has_key else draft.before.door.forced_after_s or DoorConfig().forced_after_s
        )
        draft.put("door", "forced_after_s", forced_after_s, always=True)
    _to_programs(answers, draft)
    _to_broker(answers, draft, password_file=credential_file.removesuffix("token") + BROKER_FILE, new=has_password)
    _ = draft.now


def _to_broker(answers: Answers, draft: Draft, *, password_file: str, new: bool) -> None:
    if answers.mqtt == "":
        for name in ("url", "user", "password_file", "ca_file", "certificate", "key", "may_open"):
            draft.drop("mqtt", name)
        return
    for name, value in (("url", answers.mqtt), ("user", answers.mqtt_user), ("may_open", answers.mqtt_may_open)):
        if value is not None:
            draft.put("mqtt", name, value)
    if answers.mqtt_user == "":
        draft.drop("mqtt", "password_file")
    elif new:
        draft.put("mqtt", "password_file", password_file)


def _to_programs(answers: Answers, draft: Draft) -> None:
    if answers.api is not None and answers.api != bool(draft.before.api.listen):
        if answers.api:
            draft.put("api", "listen", API_LISTEN)
        else:
            draft.drop("api", "listen")
    key = checked_key(answers.webhook_secret or "")
    if answers.webhook:
        draft.post(checked_webhook_url(answers.webhook), key)
    elif key:
        raise DraftError("webhook_secret: say whom it is for (webhook)")


def _to_space(answers: Answers, draft: Draft) -> None:
    if answers.token_file is not None:
        raise DraftError('token_file is for service = "signalwire": the embedded space needs no token')
    was = draft.before
    if was.account.credential != "space":
        for name in ("credential", "credential_file", "relay_url", "api_url"):
            draft.drop("account", name)
        draft.drop("call", "ring")
        if simple_next(was):
            draft.ring_next("")
    open_now = not is_loopback(split_listen(was.space.listen)[0])
    if answers.network is not None and answers.network != open_now:
        if answers.network:
            draft.put("space", "listen", NETWORK_LISTEN)
        else:
            draft.drop("space", "listen")
    if answers.answer_house is not None:
        _let_in(draft, "call", "auto_answer", HOUSE, let_in=answers.answer_house)
        _let_in(draft, "door", "openers", {RESIDENTS}, let_in=answers.answer_house)


def _to_signalwire(answers: Answers, draft: Draft, *, has_token: bool, credential_file: str) -> None:
    for name in ("network", "answer_house"):
        if getattr(answers, name) is not None:
            raise DraftError(f'{name} is for service = "space": with SignalWire nobody else connects to this machine')
    was = draft.before
    comes_anew = was.account.credential == "space"
    if comes_anew and answers.ring is None:
        raise DraftError("say whom the button rings (ring): a subscriber, a telephone number or a SIP address")
    if answers.token_file is None and not has_token:
        raise DraftError("say where the subscriber access token stands (token_file)")
    draft.put("account", "credential", "token-file")
    if comes_anew or answers.token_file is not None:
        draft.put("account", "credential_file", credential_file)
    for table, name in (("call", "auto_answer"), ("door", "openers")):
        _let_in(draft, table, name, {RESIDENTS}, let_in=False)


def _let_in(draft: Draft, table: str, name: str, house: Collection[str], *, let_in: bool) -> None:
    """Put the residents on a list, or remove the house from it under either of its names."""
    before = getattr(getattr(draft.before, table), name)
    others = tuple(entry for entry in before if entry not in house)
    after = (*others, RESIDENTS) if let_in else others
    if after != before:
        draft.put(table, name, after)
