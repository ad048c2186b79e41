"""The dialogue of `intercom setup`: one question at a time, with the present setting as the default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from intercom.cli.render import printable
from intercom.config import Config
from intercom.config.fields import DESTINATION
from intercom.config.mqtt import MQTT_URL
from intercom.config.notify import names_of
from intercom.config.webhooks import names_of as names_of_webhooks
from intercom.languages import LANGUAGES
from intercom.net import is_loopback, split_listen
from intercom.opening.auto_answer import HOUSE
from intercom.setup.answers import (
    Answers,
    checked_key,
    checked_password,
    checked_token,
    checked_webhook_url,
    judged_notify_url,
    read_token,
)
from intercom.setup.config_edit import DraftError, simple_next
from intercom.setup.hardware import Found, card_in_words
from intercom.setup.pins import AROUND, PANEL, wired
from intercom.setup.questions import BACK, BackError, Person, choose, until_valid, yes_or_no

ECHO = "/public/echo"


@dataclass(frozen=True, slots=True)
class Told:
    """The result of a dialogue."""

    answers: Answers
    token: str | None
    """Token that was typed or read from a file."""
    password: str | None = None
    """Password for the MQTT broker that was typed."""


@dataclass(slots=True)
class _Visit:
    """One dialogue: the person, the hardware, the present configuration and the answers so far."""

    person: Person
    found: Found
    config: Config
    has_token: bool
    starts: bool
    """Whether setup starts the door itself, so that it can make a test call."""
    answers: dict[str, Any] = field(default_factory=dict)
    token: str | None = None
    password: str | None = None


def talk(person: Person, found: Found, config: Config, *, has_token: bool, starts: bool) -> Told:
    """Ask everything that setup asks, with the present setting as the default of each question.

    :param has_token: a subscriber access token is stored already.
    :param starts: setup starts the door afterwards; otherwise there is no test call to ask about.
    """
    person.say("Enter keeps what stands in [brackets]; back asks the question before once more.")
    person.say("Nothing is written before the end; Ctrl-C leaves all as it is.")
    _show(person, found)
    visit = _Visit(person, found, config, has_token, starts)
    step = 0
    while step < len(_STEPS):
        try:
            _STEPS[step](visit)
            step += 1
        except BackError:
            if step == 0:
                person.say("  This is the first question.")
            step = max(0, step - 1)
    return Told(Answers(**visit.answers), visit.token, visit.password)


def _show(person: Person, found: Found) -> None:
    person.say("\nFound on this machine:")
    person.say(f"  board    {printable(found.board) or 'no Raspberry Pi'}")
    for card in found.cards:
        person.say(f"  sound    {printable(card_in_words(card))}")
    if not found.cards:
        person.say("  sound    no sound card; plug one in and start again, or go on")
    for camera in found.cameras:
        person.say(f"  camera   {printable(camera.label)} ({camera.name})")
    if found.has_picamera2:
        person.say("  camera   picamera2 is installed, for a Raspberry Pi camera")
    elif not found.cameras:
        person.say("  camera   none")


# -- the questions -------------------------------------------------------------------------------------


def _service(visit: _Visit) -> None:
    visit.person.say("\nWho carries the calls?")
    choices = {"space": "this house itself, with no account", "signalwire": "a SignalWire account"}
    was_space = visit.config.account.credential == "space"
    service = choose(visit.person, choices, "space" if was_space else "signalwire")
    visit.answers = {"service": service}
    visit.token = None


def _line(visit: _Visit) -> None:
    """Ask the questions of the chosen service."""
    if visit.answers["service"] == "space":
        _own_space(visit.person, visit.config, visit.answers)
    else:
        _signalwire(visit)


def _own_space(person: Person, config: Config, answers: dict[str, Any]) -> None:
    open_now = not is_loopback(split_listen(config.space.listen)[0])
    fresh = config == Config()
    person.say("\nMay phones and tablets on this network answer the door?")
    answers["network"] = yes_or_no(person, open_now or fresh)
    person.say("\nMay the house look, listen and open at any time (the door then answers its calls by itself)?")
    answers["answer_house"] = yes_or_no(person, not HOUSE.isdisjoint(config.call.auto_answer))


def _signalwire(visit: _Visit) -> None:
    visit.token = _token(visit.person, has_token=visit.has_token)
    visit.person.say(
        "\nWhom does the button ring? A subscriber (/private/anna), a number (+15551234567) or a SIP address."
    )
    visit.answers["ring"] = until_valid(
        visit.person,
        "" if visit.config.account.credential == "space" else visit.config.call.ring,
        lambda said: said if DESTINATION.accepts(said) else None,
        f"Expected {DESTINATION.expected}.",
    )


def _token(person: Person, *, has_token: bool) -> str | None:
    person.say("\nPaste the subscriber access token (it is not shown), or the path of a file that holds it.")
    while True:
        said = person.ask_secret(f"  [{'the one that is there' if has_token else ''}] > ").strip()
        if said == BACK:
            raise BackError
        if not said and has_token:
            return None
        try:
            return read_token(Path(said)) if said.startswith(("/", "~", ".")) else checked_token(said, "What you typed")
        except DraftError as error:
            person.say(f"  {error}.")


def _next(visit: _Visit) -> None:
    """Ask the usual question about the call plan; a plan of the owner's own is not asked about."""
    present = simple_next(visit.config)
    visit.answers.pop("ring_next", None)
    if present is None:
        return
    in_space = visit.answers["service"] == "space"
    example = "/private/anna" if in_space else "+15551234567"

    def is_meant(said: str) -> bool:
        return said == "none" or (DESTINATION.accepts(said) and (not in_space or said.startswith("/private/")))

    visit.person.say("\nWhom does the door ring when nobody has answered for half a minute? An address like")
    visit.person.say(f"  {example}; none: nobody, the button rings the usual one for a minute.")
    said = until_valid(
        visit.person,
        present if is_meant(present) else "none",
        lambda said: said if is_meant(said) else None,
        f"Expected none, or an address like {example}.",
    )
    visit.answers["ring_next"] = "" if said == "none" else said


def _pins(visit: _Visit) -> None:
    for name in ("pins", *PANEL, *AROUND, "door_has_key"):
        visit.answers.pop(name, None)
    visit.answers |= wired(visit.person, visit.found, visit.config)


def _sound(visit: _Visit) -> None:
    person, found = visit.person, visit.found
    person.say("\nWhich sound card? auto takes the one used before, else the best that is plugged in.")
    names = {"auto": ""}
    for card in found.cards:
        if card.is_duplex:
            names[str(card.pcm("playback"))] = printable(card_in_words(card))
    names["simulated"] = "none: for trying things out"
    visit.answers["sound"] = choose(person, names, visit.config.audio.card, others=True)


def _speaks(visit: _Visit) -> None:
    present = " ".join(visit.config.prompts.languages)
    visit.person.say("\nIn which languages does the door speak to the visitor (it rings, nobody answers, it is open)?")
    visit.person.say(f"  One or several of {', '.join(LANGUAGES)}, the first one first; none: it has its tones alone.")
    visit.answers["speaks"] = until_valid(
        visit.person,
        present or "none",
        _languages,
        f"Expected none, or languages like {LANGUAGES[1]} {LANGUAGES[0]}.",
    )


def _languages(said: str) -> tuple[str, ...] | None:
    """Return the languages that a person names, each once; None where one of them is none that the door speaks."""
    named = tuple(dict.fromkeys(said.lower().replace(",", " ").split()))
    if named == ("none",):
        return ()
    return named if named and set(named) <= set(LANGUAGES) else None


def _camera(visit: _Visit) -> None:
    visit.person.say("\nWhich camera? auto takes the Raspberry Pi's, else a USB one, else a test picture.")
    choices = {"auto": "", "picamera2": "the Raspberry Pi's", "v4l2": "a USB one", "pattern": "a test picture"}
    choices["off"] = "none"
    visit.answers["camera"] = choose(visit.person, choices, visit.config.camera.source)


def _notify(visit: _Visit) -> None:
    person, told = visit.person, ", ".join(names_of(visit.config.notify))
    person.say(
        "\nWho is told elsewhere that somebody rings? An ntfy topic that nobody guesses, or another service's URL"
    )
    person.say(f"  (docs/notifications.md). Empty: {'as it is' if told else 'nobody'}.")
    visit.answers.pop("notify", None)
    if url := _one_more(person, told, judged_notify_url):
        visit.answers["notify"] = url


def _one_more(person: Person, told: str, judged: Callable[[str], str]) -> str:
    """Ask for the URL of one more beside those of `told`; return it, or an empty text for none."""
    while (said := person.ask(f"  [{told}] > ").strip()) not in {"", told}:
        if said == BACK:
            raise BackError
        try:
            return judged(said)
        except DraftError as error:
            person.say(f"  {error}.")
    return ""


def _broker(visit: _Visit) -> None:
    """Ask for the MQTT broker, and what it asks of the door."""
    person, present = visit.person, visit.config.mqtt
    for name in ("mqtt", "mqtt_user", "mqtt_may_open"):
        visit.answers.pop(name, None)
    visit.password = None
    person.say("\nShall Home Assistant see the door? The address of its MQTT broker, like")
    person.say("  mqtts://homeassistant.local; none: no (docs/home-assistant.md).")
    said = until_valid(
        person,
        present.url or "none",
        lambda said: said if said == "none" or MQTT_URL.accepts(said) else None,
        f"Expected none, or {MQTT_URL.expected}.",
    )
    if said in ("none", present.url):
        visit.answers["mqtt"] = "" if said == "none" else said
        return
    visit.answers["mqtt"] = said
    person.say("\nThe door's user at the broker; none: it takes anybody, or goes by a certificate.")
    user = until_valid(person, present.user or "none", lambda said: said, "")
    visit.answers["mqtt_user"] = "" if user == "none" else user
    if user != "none":
        visit.password = _password(person)
    encrypts = said.startswith("mqtts:") or is_loopback(urlsplit(said).hostname or "")
    if not encrypts:
        person.say("  It may not open the door, as nothing is encrypted on the way (mqtts: does).")
    else:
        person.say("\nMay the broker's users open the door?")
    visit.answers["mqtt_may_open"] = encrypts and yes_or_no(person, present.may_open)


def _password(person: Person) -> str:
    person.say("\nIts password there (it is not shown).")
    return _secret(person, checked_password)


def _secret(person: Person, checked: Callable[[str], str]) -> str:
    while True:
        said = person.ask_secret("  [] > ").strip()
        if said == BACK:
            raise BackError
        try:
            return checked(said)
        except DraftError as error:
            person.say(f"  {error}.")


def _api(visit: _Visit) -> None:
    visit.person.say("\nShall programs of the house ask the door by HTTP? Each needs a token (docs/api.md).")
    visit.answers["api"] = yes_or_no(visit.person, bool(visit.config.api.listen))


def _webhook(visit: _Visit) -> None:
    """Ask for a program that is told by a webhook, and for the key that signs it."""
    person, told = visit.person, ", ".join(names_of_webhooks(visit.config.webhook))
    for name in ("webhook", "webhook_secret"):
        visit.answers.pop(name, None)
    person.say("\nShall a program be told at once what happens, by a webhook? Its URL (docs/webhooks.md).")
    person.say(f"  Empty: {'as it is' if told else 'no'}.")
    url = _one_more(person, told, checked_webhook_url)
    if not url:
        return
    visit.answers["webhook"] = url
    person.say("\nThe key that signs what it is sent, whsec_… (it is not shown). Empty: nothing is signed.")
    if key := _secret(person, checked_key):
        visit.answers["webhook_secret"] = key


def _test_call(visit: _Visit) -> None:
    if visit.starts:
        visit.answers["test_call"] = _asked_for_test_call(visit.person, visit.answers["service"])


def _asked_for_test_call(person: Person, service: str) -> str | bool:
    if service == "space":
        person.say("\nMake a test call when all is written? It takes ten seconds and rings nobody.")
        return ECHO if yes_or_no(person, default=True) else False
    person.say("\nMake a test call when all is written? To an address that answers by itself; empty: none.")
    return (
        until_valid(
            person,
            "",
            lambda said: said if not said or DESTINATION.accepts(said) else None,
            f"Expected {DESTINATION.expected}.",
            may_be_empty=True,
        )
        or False
    )


_STEPS: tuple[Callable[[_Visit], None], ...] = (
    _service,
    _line,
    _next,
    _pins,
    _sound,
    _speaks,
    _camera,
    _notify,
    _broker,
    _api,
    _webhook,
    _test_call,
)
