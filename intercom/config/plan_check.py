"""Check that every press can reach somebody: the steps of the call plans, and the buttons that begin them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from intercom.address import Address, Form
from intercom.config.call_plan import AT_ONCE_LIMIT, HOLIDAY, PLAN_LIMIT_S, Moment, StepConfig, moments, why_not
from intercom.config.line_numbers import Key
from intercom.config.notify import OF_A_PRESS, names_of
from intercom.config.reader import Reading
from intercom.config.schema import Config


def check_plans(config: Config, reading: Reading, today: date) -> None:
    """Report each step and button that can reach nobody, at its line, and remark on holidays that are over."""
    if reading.problems:
        return  # what is wrong already would be told twice
    _check_buttons(config, reading)
    told = {name: entry.events for name, entry in zip(names_of(config.notify), config.notify, strict=True)}
    is_over = bool(config.call.holidays) and _are_past(config.call.holidays, today)
    for key, step in _numbered(config):
        _check_step(step, key, config, told, reading)
        if is_over and HOLIDAY in step.days:
            remark = "every date in call.holidays is past, so that no day is a holiday any more: name the coming ones"
            reading.note((*key, "days"), remark)
    if not reading.problems:
        for plan in dict.fromkeys(step.plan for step in config.call.plan):
            _check_times(plan, config, reading)


def check_ring(config: Config, reading: Reading) -> None:
    """Report the usual address if the service has no line to it."""
    _check_lines(config, reading, ("call", "ring"), (config.call.ring,))


def rung(config: Config) -> list[tuple[Key, str]]:
    """Return each address that a press may ring, with the key of the setting that names it."""
    found = [((*key, "ring"), address) for key, step in _numbered(config) for address in step.ring]
    plans = {step.plan for step in config.call.plan}
    usual = any(not step.ring and not step.notify for step in config.call.plan)
    if usual or any(button.plan not in plans for button in config.panel.buttons):
        found.insert(0, (("call", "ring"), config.call.ring))
    return found


def _check_lines(config: Config, reading: Reading, key: Key, addresses: tuple[str, ...]) -> None:
    if config.account.credential != "space":
        return
    for address in map(Address.parse, addresses):
        if address.form is not Form.PRIVATE:
            reading.report(key, f"{address} reaches nobody: the embedded space has addresses like /private/name alone")


def _numbered(config: Config) -> list[tuple[Key, StepConfig]]:
    return [(("call", "plan", str(number)), step) for number, step in enumerate(config.call.plan, start=1)]


def _check_buttons(config: Config, reading: Reading) -> None:
    buttons, plans, names = config.panel.button, {step.plan for step in config.call.plan}, set[str]()
    for number, button in enumerate(buttons, start=1):
        key = ("panel", "button", str(number))
        if button.plan and button.plan not in plans:
            wanted = f'there is no [[call.plan]] with plan = "{button.plan}", so this button rings nobody: add one'
            reading.report((*key, "plan"), wanted)
        if not button.name and len(buttons) > 1:
            reading.report(key, 'give each button a name: name = "Office", for example')
            return
        if button.name in names:
            reading.report((*key, "name"), f'"{button.name}" is also the name of another button: choose another')
        names.add(button.name)
    if buttons and reading.says("panel", "button_gpio"):
        reading.report(("panel", "button_gpio"), "leave it out: the [[panel.button]] entries are all the buttons")


def _check_step(
    step: StepConfig, key: Key, config: Config, told: Mapping[str, tuple[str, ...]], reading: Reading
) -> None:
    if len(step.ring) > AT_ONCE_LIMIT:
        reading.report((*key, "ring"), f"at most {AT_ONCE_LIMIT} addresses ring at once: make a group of them")
    _check_lines(config, reading, (*key, "ring"), step.ring)
    for name in step.notify:
        if name not in told:
            known = f"it is one of {', '.join(sorted(told))}" if told else "add it, or leave it out here"
            reading.report((*key, "notify"), f'there is no [[notify]] of the name "{name}": {known}')
        elif OF_A_PRESS.isdisjoint(told[name]):
            reading.report((*key, "notify"), f'"{name}" is told of no press: add "ring" to its events')
    if HOLIDAY in step.days and not config.call.holidays:
        reading.report((*key, "days"), 'no date is a holiday: name some in call.holidays = ["12-25"]')
    if step.plan not in {button.plan for button in config.panel.buttons}:
        reading.report((*key, "plan"), f'no button begins the plan "{step.plan}": name it in a [[panel.button]]')


def _are_past(holidays: Iterable[str], today: date) -> bool:
    """Return whether none of these dates comes any more; one without a year comes every year."""
    return all(text.count("-") == 2 and date.fromisoformat(text) < today for text in holidays)


def _check_times(plan: str, config: Config, reading: Reading) -> None:
    """Report a plan that rings for too long, and remark on one that rings nobody at some time."""
    steps = [(key, step) for key, step in _numbered(config) if step.plan == plan]
    key = steps[0][0]
    nobody: Moment | None = None
    longest_s = 0.0
    for moment in moments((step for _, step in steps), holidays=bool(config.call.holidays)):
        counting = [step for _, step in steps if not why_not(step, moment)]
        longest_s = max(longest_s, sum(step.ring_time_s * _calls(step, config) for step in counting))
        nobody = nobody or (None if counting else moment)
    if longest_s > PLAN_LIMIT_S:
        reading.report(key, f"this plan rings for {longest_s:g} s, and at most {PLAN_LIMIT_S:g}: shorten its steps")
    if nobody is not None:
        clock = f"{nobody.second // 3600:02}:{nobody.second // 60 % 60:02}"
        on = "a holiday" if nobody.today == HOLIDAY else nobody.today
        reading.note(key, f"this plan rings nobody from {clock} on {on}, for example; `intercom plan` explains it")


def _calls(step: StepConfig, config: Config) -> int:
    """Return how many calls a step makes, one after the other; none if it only tells somebody."""
    calls = len(step.ring) or (0 if step.notify else 1)
    return min(calls, 1) if config.account.credential == "space" else calls
