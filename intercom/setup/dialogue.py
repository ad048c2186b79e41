"""The dialogue of `intercom setup`: one question at a time, with the present setting as the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from intercom.cli.render import printable
from intercom.config import Config
from intercom.config.fields import DESTINATION
from intercom.config.notify import names_of
from intercom.config.schema import GPIO_HIGHEST
from intercom.net import is_loopback, split_listen
from intercom.opening.auto_answer import HOUSE
from intercom.setup.answers import SETTINGS, Answers, checked_token, judged_notify_url, read_token
from intercom.setup.config_edit import DraftError
from intercom.setup.hardware import Found, card_in_words

ECHO = "/public/echo"
PINS = ("button", "light", "red", "green", "blue", "relay", "relay_active_high")
LIGHTS = {"rgb": ("red", "green", "blue"), "single": ("green",), "none": ()}


class Person(Protocol):
    """The person who answers the questions."""

    def say(self, text: str = "") -> None:
        """Show a text to the person."""

    def ask(self, prompt: str) -> str:
        """Return the person's line; raises EOFError at the end of the input."""

    def ask_secret(self, prompt: str) -> str:
        """Return the person's line without showing it."""


@dataclass(frozen=True, slots=True)
class Told:
    """The result of a dialogue."""

    answers: Answers
    token: str | None
    """Token that was typed or read from a file."""


BACK = "back"
"""Answer that returns to the question before."""


class _BackError(Exception):
    """The person wants to return to the question before."""


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
        except _BackError:
            if step == 0:
                person.say("  This is the first question.")
            step = max(0, step - 1)
    return Told(Answers(**visit.answers), visit.token)


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
    service = _choose(visit.person, choices, "space" if was_space else "signalwire")
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
    answers["network"] = _yes(person, open_now or fresh)
    person.say("\nMay the house look, listen and open at any time (the door then answers its calls by itself)?")
    answers["answer_house"] = _yes(person, not HOUSE.isdisjoint(config.call.auto_answer))


def _signalwire(visit: _Visit) -> None:
    visit.token = _token(visit.person, has_token=visit.has_token)
    visit.person.say(
        "\nWhom does the button ring? A subscriber (/private/anna), a number (+15551234567) or a SIP address."
    )
    visit.answers["ring"] = _until(
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
            raise _BackError
        if not said and has_token:
            return None
        try:
            return read_token(Path(said)) if said.startswith(("/", "~", ".")) else checked_token(said, "What you typed")
        except DraftError as error:
            person.say(f"  {error}.")


def _pins(visit: _Visit) -> None:
    person, found, config, answers = visit.person, visit.found, visit.config, visit.answers
    person.say("\nAre the button, the light and the door's relay wired to this machine's GPIO pins?")
    person.say("  auto is yes on a Raspberry Pi; simulated puts them on a page to try things out.")
    pins = _choose(person, {"auto": "", "gpio": "yes", "simulated": "no"}, config.panel.pins)
    answers["pins"] = pins
    if pins == "simulated" or (pins == "auto" and not found.is_pi):
        return
    now = {name: getattr(getattr(config, table), key) for name, (table, key) in SETTINGS.items() if name in PINS}
    lights = " ".join(f"{colour} {now[colour]}" for colour in LIGHTS[now["light"]]) or "no light"
    person.say(f"\nGPIO numbers: button {now['button']}, {lights}, relay {now['relay']}. Is it wired like this?")
    if not _yes(person, default=True):
        while (twice := _pins_once(person, now)) is not None:
            person.say(f"  GPIO {twice} stands there twice: once more, please.")
    answers.update(now)


def _pins_once(person: Person, now: dict[str, Any]) -> int | None:
    """Ask for every pin; return a GPIO that was named twice, or None."""
    now["button"] = _gpio(person, "Button", now["button"])
    person.say("  Light: rgb is one light of three colours, single is one light.")
    now["light"] = _choose(person, {"rgb": "", "single": "", "none": ""}, now["light"])
    for colour in LIGHTS[now["light"]]:
        now[colour] = _gpio(person, "Light" if now["light"] == "single" else colour.capitalize(), now[colour])
    now["relay"] = _gpio(person, "Relay", now["relay"])
    person.say("  Does a high pin open the door? (Only for a module that is active low: no.)")
    now["relay_active_high"] = _yes(person, now["relay_active_high"])
    used = [now["button"], now["relay"], *(now[colour] for colour in LIGHTS[now["light"]])]
    return next((pin for pin in used if used.count(pin) > 1), None)


def _sound(visit: _Visit) -> None:
    person, found = visit.person, visit.found
    person.say("\nWhich sound card? auto takes the one used before, else the best that is plugged in.")
    names = {"auto": ""}
    for card in found.cards:
        if card.is_duplex:
            names[str(card.pcm("playback"))] = printable(card_in_words(card))
    names["simulated"] = "none: for trying things out"
    visit.answers["sound"] = _choose(person, names, visit.config.audio.card, others=True)


def _camera(visit: _Visit) -> None:
    visit.person.say("\nWhich camera? auto takes the Raspberry Pi's, else a USB one, else a test picture.")
    choices = {"auto": "", "picamera2": "the Raspberry Pi's", "v4l2": "a USB one", "pattern": "a test picture"}
    choices["off"] = "none"
    visit.answers["camera"] = _choose(visit.person, choices, visit.config.camera.source)


def _notify(visit: _Visit) -> None:
    person, told = visit.person, ", ".join(names_of(visit.config.notify))
    person.say(
        "\nWho is told elsewhere that somebody rings? An ntfy topic that nobody guesses, or another service's URL"
    )
    person.say(f"  (docs/notifications.md). Empty: {'as it is' if told else 'nobody'}.")
    while (said := person.ask(f"  [{told}] > ").strip()) not in {"", told}:
        if said == BACK:
            raise _BackError
        try:
            visit.answers["notify"] = judged_notify_url(said)
        except DraftError as error:
            person.say(f"  {error}.")
        else:
            return
    visit.answers.pop("notify", None)


def _test_call(visit: _Visit) -> None:
    if visit.starts:
        visit.answers["test_call"] = _asked_for_test_call(visit.person, visit.answers["service"])


def _asked_for_test_call(person: Person, service: str) -> str | bool:
    if service == "space":
        person.say("\nMake a test call when all is written? It takes ten seconds and rings nobody.")
        return ECHO if _yes(person, default=True) else False
    person.say("\nMake a test call when all is written? To an address that answers by itself; empty: none.")
    return (
        _until(
            person,
            "",
            lambda said: said if not said or DESTINATION.accepts(said) else None,
            f"Expected {DESTINATION.expected}.",
            may_be_empty=True,
        )
        or False
    )


_STEPS: tuple[Callable[[_Visit], None], ...] = (_service, _line, _pins, _sound, _camera, _notify, _test_call)


# -- how one question is asked -------------------------------------------------------------------------


def _until(
    person: Person, default: str, understand: Callable[[str], Any], hint: str, *, may_be_empty: bool = False
) -> Any:
    """Ask until the answer is valid; raises `_BackError` when the person wants the question before."""
    while True:
        said = person.ask(f"  [{default}] > ").strip() or default
        if said == BACK:
            raise _BackError
        if said or may_be_empty:
            meant = understand(said)
            if meant is not None:
                return meant
        person.say(f"  {hint}")


def _choose(person: Person, choices: dict[str, str], default: str, *, others: bool = False) -> str:
    """Ask for one of the choices, by its number or its name; with `others` any text counts."""
    names: Sequence[str] = list(choices) if default in choices else [*choices, default]
    for number, name in enumerate(names, start=1):
        person.say(f"  {number}  {printable(name):<12} {choices.get(name, 'as it is set')}".rstrip())

    def understand(said: str) -> str | None:
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        return said if said in names or (others and ":" in said) else None

    hint = f"A number from 1 to {len(names)}, or the word" + (", or an ALSA name (plughw:CARD=…)." if others else ".")
    meant: str = _until(person, default, understand, hint)
    return meant


def _yes(person: Person, default: bool) -> bool:
    words = {"y": True, "yes": True, "n": False, "no": False}
    meant: bool = _until(person, "yes" if default else "no", lambda said: words.get(said.lower()), "Yes or no.")
    return meant


def _gpio(person: Person, what: str, default: int) -> int:
    def understand(said: str) -> int | None:
        return int(said) if said.isascii() and said.isdigit() and int(said) <= GPIO_HIGHEST else None

    person.say(f"  {what}: which GPIO?")
    meant: int = _until(person, str(default), understand, f"A GPIO number from 0 to {GPIO_HIGHEST}.")
    return meant
