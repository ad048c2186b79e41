"""A visitor whom nobody answers leaves a message at a whole door, and the house has it."""

from __future__ import annotations

import asyncio

import aiohttp
import numpy as np
import pytest

from intercom.config import CallConfig, HistoryConfig
from intercom.door.machine import State
from intercom.media.recording import recorder
from intercom.panel import Pattern
from intercom.space import Space
from tests.alsa import PATIENCE_S, AlsaCards, Samples, tone
from tests.e2e.conftest import StartHome
from tests.e2e.home import Home
from tests.media.recording.film import played

pytestmark = pytest.mark.asyncio(loop_scope="session")

WANTED = HistoryConfig(messages=True)
VOICE_HZ = 500.0
TOLD = (Pattern.MESSAGE, Pattern.ERROR)
"""The light once nobody has answered: the visitor is asked, or cannot be."""


def words(seconds: int) -> Samples:
    """A voice: a tone in syllables."""
    syllable = np.concatenate([tone(VOICE_HZ, 0.35), tone(VOICE_HZ, 0.15, level_db=-120.0)])
    return np.tile(syllable, seconds * 2)


async def asked(home: Home) -> None:
    """Press, and wait until the house has not answered and the visitor may speak.

    A sound server that stands still on a busy machine ends the asking, as a card would: the visitor presses again.
    """
    assert home.door is not None
    messages = home.door.messages

    def recorded() -> bool:
        return any(one.bytes for one in messages.files.all(whole=False))

    async with asyncio.timeout(PATIENCE_S):
        while not recorded():
            await home.wait_for(lambda: home.door.feedback.pattern not in TOLD, "the light of the last press to be off")
            await home.press()
            await home.wait_for(lambda: home.door.feedback.pattern in TOLD, "the light to ask for a message")
            await home.wait_for(lambda: recorded() or not messages.takes, "the message to be recorded")
    assert home.door.feedback.pattern is Pattern.MESSAGE


def phone_of(space: Space) -> dict[str, str]:
    store = space.store
    secret = store.add_device(store.add_subscriber("phone", groups=("house",)), "Phone")
    return {"Authorization": f"Bearer {secret}"}


async def fetched(home: Home) -> bytes:
    """The one message of the house, as a phone fetches it."""
    headers = phone_of(home.space)
    url = home.space.url + "/api/space/messages"
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.get(url) as answer:
            (message,) = (await answer.json())["messages"]
        async with http.get(f"{url}/{message['door']}/{message['id']}") as answer:
            return await answer.read()


async def test_a_visitor_leaves_a_message_and_the_house_has_it(
    start_home: StartHome, alsa_cards: AlsaCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "PICTURE_PATIENCE_S", PATIENCE_S)  # a cold camera on a busy machine
    home = await start_home(call=CallConfig(ring_time_s=1), history=WANTED)
    assert home.door is not None
    files, kept = home.door.messages.files, home.space.messages.files
    with alsa_cards.speak(words(120)):
        await asked(home)
        await home.wait_for(lambda: sum(one.bytes for one in files.all(whole=False)) > 20_000, "some seconds")
        await home.press()
        await home.wait_for(lambda: len(kept.all()) == 1, "the house to have the message")
    await home.until(State.IDLE)
    assert not home.door.messages.takes
    await home.wait_for(lambda: files.all() == [] and files.all(whole=False) == [], "the door to keep none")
    shown = played(await fetched(home))
    assert shown.sound_s > 1
    assert len(shown.pictures) > 5


async def test_the_street_is_not_recorded_where_the_owner_did_not_ask_for_it(start_home: StartHome) -> None:
    home = await start_home(call=CallConfig(ring_time_s=1))
    assert home.door is not None
    await home.press()
    await home.wait_for(lambda: home.door.feedback.pattern is Pattern.ERROR, "the light to say that nobody answers")
    assert not home.door.messages.takes
    assert not (home.state_dir / "messages").exists()


async def test_a_camera_that_is_switched_off_stays_off_in_a_message(
    start_home: StartHome, alsa_cards: AlsaCards
) -> None:
    home = await start_home(call=CallConfig(ring_time_s=1), history=WANTED)
    assert home.door is not None
    home.door.privacy.set_off(True)
    with alsa_cards.speak(words(120)):
        await asked(home)
        assert home.door.camera is not None
        assert not home.door.camera.is_running
        await home.press()
        await home.wait_for(lambda: len(home.space.messages.files.all()) == 1, "the house to have the message")
    assert b"avc1" not in await fetched(home)


async def test_a_message_that_the_space_was_away_for_arrives_when_it_is_back(
    start_home: StartHome, alsa_cards: AlsaCards
) -> None:
    home = await start_home(call=CallConfig(ring_time_s=1), history=WANTED)
    assert home.door is not None
    files = home.door.messages.files

    async def meanwhile() -> None:
        with alsa_cards.speak(words(120)):
            await asked(home)
            await home.press()
            await home.wait_for(lambda: len(files.all()) == 1, "the door to keep the message")

    await home.restart_space(meanwhile)
    await home.wait_for(lambda: len(home.space.messages.files.all()) == 1, "the space to get the message")
    await home.wait_for(lambda: files.all() == [], "the door to keep none")
