"""`intercom quiet`, spoken to a whole door whose space keeps the quiet hours; and what the door believes of a space."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.cli.running_door import remote as cli
from intercom.config import Config
from intercom.config.schema import AccountConfig
from intercom.door.quiet import QUIET, HouseQuiet
from intercom.facts import Fact, QuietChanged, RegistrationChanged
from intercom.history.journal import Journal
from intercom.signalwire.wire.messages import Event
from intercom.space.quiet.house_quiet import Manner
from tests.door.test_handlers import home, say
from tests.e2e.home import Home

__all__ = ["home"]

BELLS_ON = "The bells of the house are on.\n"


async def knows(home: Home) -> None:
    """Wait until the door knows how quiet its house is."""
    door = home.door
    assert door is not None
    await home.wait_for(lambda: door.quiet.document is not None, "what the space says of its quiet")


async def test_the_house_is_made_quiet_and_rings_again_by_command_and_status_says_so(home: Home) -> None:
    await knows(home)
    anna = home.space.store.add_subscriber("anna", groups=("house",)).id
    quiet = home.space.exchange.control.quiet.house
    assert quiet is not None
    assert (await say(home, "quiet")).out == BELLS_ON
    answer = await say(home, "quiet", "on")
    assert answer.out == "Quiet: the house, until it is taken back; rings are shown without a sound.\n", answer.err
    assert quiet.manner(anna, "/private/door") is Manner.SILENTLY
    assert "until it is taken back" in (await say(home, "status")).out
    assert "Quiet: the house, until 20" in (await say(home, "quiet", "until", "07:00")).out
    assert "Quiet: the house, until 20" in (await say(home, "quiet", "for", "1.5")).out
    assert (await say(home, "status", "--json")).json["quiet"]["house"] is True
    assert (await say(home, "quiet", "off")).out == BELLS_ON
    assert quiet.manner(anna, "/private/door") is Manner.ALOUD
    assert "the house, until" not in (await say(home, "status")).out


async def test_a_device_that_is_quiet_by_its_own_wish_is_named_in_the_status(home: Home) -> None:
    await knows(home)
    anna = home.space.store.add_subscriber("anna", "Anna's phone", groups=("house",)).id
    quiet = home.space.exchange.control.quiet.house
    assert quiet is not None
    quiet.order_resident(anna, quiet=True)
    home.space.exchange.control.quiet.tell_changes()
    home.space.sockets.deliver()  # as the next second does
    door = home.door
    assert door is not None
    await home.wait_for(lambda: bool((door.quiet.document or {}).get("devices")), "the quiet device")
    assert "by their own wish: Anna's phone" in (await say(home, "status")).out


@pytest.mark.parametrize("words", [("until",), ("for",), ("for", "soon"), ("on", "07:00"), ("off", "2")])
async def test_words_that_do_not_fit_are_answered_with_those_that_do(home: Home, words: tuple[str, ...]) -> None:
    answer = await say(home, "quiet", *words)
    assert answer.code == cli.USAGE
    assert "`quiet until 07:00`" in answer.err


@pytest.mark.parametrize(("words", "sentence"), [(("until", "25:00"), "a time like"), (("for", "9999"), "31 days")])
async def test_a_time_that_is_none_is_refused(home: Home, words: tuple[str, ...], sentence: str) -> None:
    answer = await say(home, "quiet", *words)
    assert answer.code == cli.REFUSED
    assert sentence in answer.err


# -- what the door believes ------------------------------------------------------------------------------


def told(params: dict[str, Any], event_type: str = QUIET) -> Event:
    return Event(event_type, params, "channel", 0.0, "project", "node")


def quiet_of(config: Config) -> tuple[HouseQuiet, list[Fact]]:
    facts: list[Fact] = []
    quiet = HouseQuiet(config, client=None, tell=facts.append)  # type: ignore[arg-type]  # nothing is asked here
    return quiet, facts


def test_the_same_news_twice_is_one_fact() -> None:
    quiet, facts = quiet_of(Config())
    for _ in range(2):
        quiet.take(told({"house": {"quiet": True, "until": 1_795_900_000.0}, "devices": []}))
    assert facts == [QuietChanged(house=True)]
    assert quiet.document is not None
    assert quiet.document["until"] == "2026-11-28T21:06:40+00:00"


@pytest.mark.parametrize(
    "params", [{}, {"house": True}, {"house": {"quiet": True, "until": 1e300}}, {"house": {"quiet": True, "until": -1}}]
)
def test_what_cannot_be_read_is_ignored(params: dict[str, Any]) -> None:
    quiet, facts = quiet_of(Config())
    quiet.take(told(params))
    assert (quiet.document, facts) == (None, [])


def test_another_service_is_not_believed() -> None:
    quiet, _ = quiet_of(Config(account=AccountConfig(credential="token-file")))
    quiet.take(told({"house": {"quiet": True}}))
    assert quiet.document is None


def test_a_door_that_lost_its_space_no_longer_says_how_quiet_it_is() -> None:
    quiet, _ = quiet_of(Config())
    quiet.take(told({"house": {"quiet": True}}))
    journal = Journal(lambda error: None)
    journal.subscribe(quiet.hear)
    journal.tell(RegistrationChanged(registered=False))
    assert quiet.document is None
