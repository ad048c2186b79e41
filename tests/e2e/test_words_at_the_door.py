"""The visitor is spoken to: by the door itself, and by the house without a conversation; a long call goes on."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from intercom.config import AudioConfig, CallConfig
from intercom.config.prompts import PromptsConfig
from intercom.door.machine import Phase, State
from intercom.media.prompts.sentences import sentence
from intercom.media.sound.format import Samples
from intercom.media.sound.mixer import Playing
from tests.e2e.conftest import PairStation, StartHome
from tests.e2e.home import Home

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPEAKS = PromptsConfig(languages=("en",))
COMING = sentence("en", "reply.coming")


class Visitor:
    """Hears what the door's loudspeaker is given to play."""

    def __init__(self, home: Home) -> None:
        assert home.door is not None
        self._home = home
        self._play = home.door.engine.play_sound
        self.heard: list[str] = []
        home.door.engine.play_sound = self._hear  # type: ignore[method-assign] # listens in on what is played

    def _hear(self, name: str, sound: Samples) -> Playing:
        self.heard.append(name)
        return self._play(name, sound)

    async def hears(self, name: str) -> None:
        await self._home.wait_for(lambda: name in self.heard, f"the visitor to hear {name!r} among {self.heard}")
        self.heard.clear()


async def test_the_house_replies_to_the_visitor_and_both_pages_see_it_before_one_answers(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home(prompts=SPEAKS, call=CallConfig(ring_time_s=600), audio=AudioConfig(card="simulated"))
    kitchen, hall = await pair_station(home, "Kitchen"), await pair_station(home, "Hall")
    door = home.door
    assert door is not None
    await home.wait_for(lambda: door.prompts.get("door_is_open") is not None, "the door to have its prompts ready")
    visitor = Visitor(home)
    await home.press()
    await visitor.hears("rings")
    for page in (kitchen, hall):
        await page.until("ringing")
    await kitchen.page.get_by_role("button", name=COMING).click()
    await visitor.hears("sentence")
    for page in (kitchen, hall):
        await expect(page.page.locator("#reply-said")).to_have_text(f"Kitchen has told the visitor: {COMING}")
    assert door.machine.phase is Phase.RINGING_OUT
    await home.wait_for(lambda: not door.feedback.voice.speaks, "the door to have said it")
    await hall.page.get_by_role("button", name="Type…").click()
    await hall.page.keyboard.type("The dog is friendly")
    await hall.page.keyboard.press("Enter")
    await visitor.hears("sentence")
    for page in (kitchen, hall):
        await expect(page.page.locator("#reply-said")).to_have_text("Hall has told the visitor: The dog is friendly")
    await hall.page.click("#answer")
    await hall.until("in-call")
    await home.talks()
    await home.wait_for(lambda: not door.feedback.voice.speaks, "an answer to end what the door says")
    await hall.page.get_by_role("button", name=COMING).click()
    await visitor.hears("sentence")
    await hall.page.click("#hangup")
    await home.until(State.IDLE)


async def test_a_call_near_its_end_goes_on_by_a_tap(start_home: StartHome, pair_station: PairStation) -> None:
    call = CallConfig(time_limit_s=121, warning_before_end_s=120)
    home = await start_home(call=call, audio=AudioConfig(card="simulated"))
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.page.click("#answer")
    await station.until("in-call")
    await expect(station.page.locator("#ending")).to_be_visible()
    door = home.door
    assert door is not None
    left_s = door.calls.talk_limit.left_s
    await station.page.get_by_role("button", name="Talk on").click()
    await home.wait_for(lambda: door.calls.talk_limit.left_s > left_s, "the call to have its time again")
    await station.page.click("#hangup")
    await home.until(State.IDLE)
