"""The questions about what is wired to this machine's pins: the panel, the relay, and what is around the door."""

from __future__ import annotations

from typing import Any

from intercom.config import NO_GPIO, Config
from intercom.setup.answers import SETTINGS
from intercom.setup.hardware import Found
from intercom.setup.questions import Person, choose, gpio, yes_or_no

PANEL = ("button", "light", "red", "green", "blue", "relay", "relay_active_high")
LIGHTS = {"rgb": ("red", "green", "blue"), "single": ("green",), "none": ()}
AROUND = {
    "chime": "Chime",
    "bell_light": "Second bell light",
    "contact": "Door contact",
    "exit": "Exit button",
    "tamper": "Tamper switch",
}
"""Answers that name what may be wired around the door, and what people call it; docs/entrance.md."""


def wired(person: Person, found: Found, config: Config) -> dict[str, Any]:
    """Ask what is wired to which pin; return the answers."""
    person.say("\nAre the button, the light and the door's relay wired to this machine's GPIO pins?")
    person.say("  auto is yes on a Raspberry Pi; simulated puts them on a page to try things out.")
    pins = choose(person, {"auto": "", "gpio": "yes", "simulated": "no"}, config.panel.pins)
    if pins == "simulated" or (pins == "auto" and not found.is_pi):
        return {"pins": pins}
    asked = {*PANEL, *AROUND}
    now = {name: getattr(getattr(config, table), key) for name, (table, key) in SETTINGS.items() if name in asked}
    if config.panel.button:
        del now["button"]  # each of several has its own entry
    buttons = ", ".join(f"button {button.gpio}" for button in config.panel.buttons)
    lights = " ".join(f"{colour} {now[colour]}" for colour in LIGHTS[now["light"]]) or "no light"
    person.say(f"\nGPIO numbers: {buttons}, {lights}, relay {now['relay']}. Is it wired like this?")
    if not yes_or_no(person, default=True):
        _ask_panel(person, now)
        while trouble := _trouble(now, config, around=False):
            person.say(f"  {trouble}: once more, please.")
            _ask_panel(person, now)
    return {"pins": pins, **now, **_around(person, now, config)}


def _ask_panel(person: Person, now: dict[str, Any]) -> None:
    if "button" in now:
        now["button"] = gpio(person, "Button", now["button"])
    person.say("  Light: rgb is one light of three colours, single is one light.")
    now["light"] = choose(person, {"rgb": "", "single": "", "none": ""}, now["light"])
    for colour in LIGHTS[now["light"]]:
        now[colour] = gpio(person, "Light" if now["light"] == "single" else colour.capitalize(), now[colour])
    now["relay"] = gpio(person, "Relay", now["relay"])
    person.say("  Does a high pin open the door? (Only for a module that is active low: no.)")
    now["relay_active_high"] = yes_or_no(person, now["relay_active_high"])


def _around(person: Person, now: dict[str, Any], config: Config) -> dict[str, Any]:
    """Ask what is wired around the door; return the answers."""
    told = ", ".join(f"{what.lower()} {now[name]}" for name, what in AROUND.items() if now[name] != NO_GPIO)
    person.say("\nA chime, a second bell light, a door contact, an exit button or a tamper switch may be wired too")
    person.say(f"  (docs/entrance.md). Now: {told or 'none of them'}. Is it like this?")
    answers: dict[str, Any] = {}
    if not yes_or_no(person, default=True):
        answers = _ask_around(person, now, config)
    while trouble := _trouble(now, config, around=True):
        person.say(f"  {trouble}: once more, please.")
        answers = _ask_around(person, now, config)
    return answers


def _ask_around(person: Person, now: dict[str, Any], config: Config) -> dict[str, Any]:
    for name, what in AROUND.items():
        now[name] = gpio(person, what, now[name], optional=True)
    answers = {name: now[name] for name in AROUND}
    if now["contact"] != NO_GPIO:
        person.say("  Do people also open the door by a key or a handle? (If not, a door that opens so was forced.)")
        answers["door_has_key"] = yes_or_no(person, default=not config.door.forced_after_s)
    return answers


def _trouble(now: dict[str, Any], config: Config, *, around: bool) -> str:
    """Return which GPIO has two uses, as a clause; empty: none has."""
    taken = {button.gpio: "a [[panel.button]]" for button in config.panel.button}
    taken |= {config.camera.light_gpio: "camera.light_gpio", config.camera.forbid_gpio: "camera.forbid_gpio"}
    used = [now[name] for name in ("button", "relay", *LIGHTS[now["light"]]) if name in now]
    used += [now[name] for name in AROUND if around and now[name] != NO_GPIO]
    for pin in used:
        if pin in taken:
            return f"GPIO {pin} is taken by {taken[pin]}"
        if used.count(pin) > 1:
            return f"GPIO {pin} stands there twice"
    return ""
