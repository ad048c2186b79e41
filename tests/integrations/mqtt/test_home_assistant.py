"""A whole door in a real Home Assistant: it appears there, rings, shows who is there, is opened; nothing complains."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from intercom.config import AudioConfig, CallConfig, MqttConfig
from intercom.door.machine import State
from tests.e2e.home import Home, home_config
from tests.integrations.mqtt.home_assistant import WAIT_S, HomeAssistant, home_assistant
from tests.integrations.mqtt.home_assistant_installed import LOCK, NOT_INSTALLED, program
from tests.integrations.mqtt.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from tests.readme import ROOT
from tests.station.conftest import CHROMIUM, FLAGS

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif(not LOCK.exists() or program() is None, reason=NOT_INSTALLED),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1200),
]

PAGE = (ROOT / "docs/home-assistant.md").read_text(encoding="utf-8")
RING, VISITOR, LOCKED = "event.front_door_ring", "image.front_door_last_visitor", "lock.front_door_lock"
AWAY = "unavailable"
"""State of what Home Assistant does not have at the moment."""
RINGS_S = 600.0
"""So long that no ring ends by itself, however slow the browser and Home Assistant are."""
PICTURE_S = 200
"""Time for which the blueprint waits for the picture here: longer than in a house, and less than the test does."""
BLUEPRINT = Path("blueprints/automation/intercom/doorbell.yaml")
AUTOMATION = """\
- id: doorbell
  alias: Doorbell
  use_blueprint:
    path: intercom/doorbell.yaml
    input:
      ring: event.front_door_ring
      visitor: image.front_door_last_visitor
      actions:
        - action: input_text.set_value
          target: {entity_id: input_text.seen}
          data: {value: "{{ picture }}"}
"""


def written(mark: str) -> str:
    """The block of YAML behind a mark on the page."""
    found = re.search(rf"<!-- {mark} -->\s+```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def indented(block: str) -> str:
    return block.strip().replace("\n", "\n    ") + "\n"


@dataclass
class House:
    """The door, the broker and Home Assistant."""

    home: Home
    broker: Mosquitto
    assistant: HomeAssistant

    async def rings_again(self) -> str:
        """Press while nothing rings, and wait until Home Assistant has it; return when that was."""
        await self.home.until(State.IDLE)
        await self.home.wait_for(self._reaches_the_broker, "the door to reach the broker, which keeps no event for it")
        before = await self.last_ring()
        await self.home.press()
        await self.home.until(State.RINGING)
        found = await self.assistant.shows(RING, lambda state: state["state"] not in ("unknown", AWAY, before))
        assert found["attributes"]["event_type"] == "ring"
        return str(found["state"])

    async def last_ring(self) -> str:
        """When the door rang last, once Home Assistant has the door: each of its platforms comes back by itself."""
        return str((await self.assistant.shows(RING, lambda state: state["state"] != AWAY))["state"])

    def _reaches_the_broker(self) -> bool:
        assert self.home.door is not None
        return bool(self.home.door.handlers.status()["integrations"]["mqtt"]["connected"])

    async def is_quiet_again(self) -> None:
        assert self.home.door is not None
        await self.home.door.calls.hang_up()
        await self.home.until(State.IDLE)
        await self.assistant.shows("sensor.front_door_call", lambda state: state["state"] == "idle")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house")
    config = folder / "assistant"
    (config / BLUEPRINT).parent.mkdir(parents=True)
    (config / BLUEPRINT).write_text(written("blueprint").replace("timeout: 5", f"timeout: {PICTURE_S}"))
    (config / "automations.yaml").write_text(AUTOMATION)
    (config / "ui-lovelace.yaml").write_text(f"views:\n- title: Door\n  cards:\n  - {indented(written('card'))}")
    async with mosquitto(folder / "broker") as broker, home_assistant(config) as assistant:
        await assistant.onboard()
        await assistant.finds_broker(broker.port)
        door = home_config(
            audio=AudioConfig(card="simulated"),
            call=CallConfig(ring_time_s=RINGS_S),
            mqtt=MqttConfig(url=broker.url, id="gate", may_open=True),
        )
        home = Home(folder, door)
        await home.start()
        await assistant.shows("sensor.front_door_call", lambda state: state["state"] == "idle")
        yield House(home, broker, assistant)
        await home.stop()


async def test_the_door_appears_by_itself_with_all_its_entities(house: House) -> None:
    wanted = {
        *(RING, VISITOR, LOCKED, "camera.front_door_camera"),
        *("sensor.front_door_call", "sensor.front_door_last_answered_by", "sensor.front_door_last_opened_by"),
        *("binary_sensor.front_door_in_call", "binary_sensor.front_door_problem"),
        *("switch.front_door_do_not_disturb", "switch.front_door_camera_privacy"),
        *("number.front_door_speaker_level", "number.front_door_microphone_level"),
        *("button.front_door_answer", "button.front_door_decline", "button.front_door_hang_up"),
        *("button.front_door_test_ring", "update.front_door_program"),
    }
    await house.assistant.shows("update.front_door_program", lambda state: state["state"] == "off")
    await house.assistant.shows(LOCKED, lambda state: state["state"] == "locked")
    for entity in wanted:
        await house.assistant.shows(entity, lambda state: state["state"] != AWAY)
    states = await house.assistant.states()
    door = {entity: state for entity, state in states.items() if ".front_door_" in entity}
    assert door.keys() == wanted
    assert AWAY not in door.values()
    assert door[RING] == "unknown"


async def test_a_press_becomes_an_event_with_its_picture(house: House) -> None:
    before = (await house.assistant.state(VISITOR))["state"]
    await house.rings_again()
    await house.assistant.shows(VISITOR, lambda state: state["state"] not in ("unknown", before))
    assert (await house.assistant.fetch(f"/api/image_proxy/{VISITOR}")).startswith(b"\xff\xd8")
    await house.assistant.shows("sensor.front_door_call", lambda state: state["state"] == "ringing")
    await house.assistant.calls("button.press", "button.front_door_decline")
    await house.home.until(State.IDLE)


async def test_the_lock_opens_the_door(house: House) -> None:
    before = house.home.relay_pulses()
    await house.assistant.calls("lock.unlock", LOCKED)
    await house.assistant.shows("sensor.front_door_last_opened_by", lambda state: state["state"] == "MQTT")
    await house.assistant.shows(LOCKED, lambda state: state["state"] == "locked")
    assert house.home.relay_pulses() == before + 1


async def test_switches_and_levels_are_the_doors(house: House) -> None:
    for entity in ("switch.front_door_camera_privacy", "switch.front_door_do_not_disturb"):
        await house.assistant.calls("switch.turn_on", entity)
        await house.assistant.shows(entity, lambda state: state["state"] == "on")
        await house.assistant.calls("switch.turn_off", entity)
        await house.assistant.shows(entity, lambda state: state["state"] == "off")
    await house.assistant.calls("number.set_value", "number.front_door_speaker_level", value=-5)
    await house.assistant.shows("number.front_door_speaker_level", lambda state: float(state["state"]) == -5)


async def test_the_blueprint_of_the_page_acts_once_the_picture_is_there(house: House) -> None:
    await house.assistant.calls("input_text.set_value", "input_text.seen", value="nothing yet")
    before = (await house.assistant.state(VISITOR))["state"]
    await house.rings_again()
    seen = await house.assistant.shows("input_text.seen", lambda state: state["state"] != "nothing yet")
    assert (await house.assistant.state(VISITOR))["state"] != before, "it did not wait for the picture"
    assert (await house.assistant.fetch(seen["state"])).startswith(b"\xff\xd8")
    await house.is_quiet_again()


async def test_the_card_of_the_page_names_entities_that_there_are(house: House) -> None:
    named = set(re.findall(r"\b[a-z_]+\.front_door_\w+", written("card")))
    assert named
    for entity in named:
        await house.assistant.shows(entity, bool)


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no Chromium: `apt install chromium`")
async def test_the_card_of_the_page_is_drawn(house: House) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=WAIT_S * 1000)
        try:
            page, patient = await browser.new_page(), WAIT_S * 1000
            await page.add_init_script(f"localStorage.hassTokens = {json.dumps(house.assistant.tokens)}")
            await page.goto(f"{house.assistant.url}/lovelace/0", timeout=patient)
            await expect(page.locator("hui-picture-entity-card")).to_have_count(1, timeout=patient)
            await expect(page.locator("hui-button-card").filter(has_text="Decline")).to_be_visible(timeout=patient)
            await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0, timeout=patient)
        finally:
            await browser.close()


async def test_no_restart_of_home_assistant_rings_or_loses_the_door(house: House) -> None:
    await house.is_quiet_again()
    rang = await house.last_ring()
    await house.assistant.stop()
    await house.assistant.start()
    await house.assistant.shows("sensor.front_door_call", lambda state: state["state"] == "idle")
    assert await house.last_ring() == rang
    assert await house.rings_again() != rang
    await house.is_quiet_again()


async def test_a_door_that_goes_is_unavailable_and_comes_back_without_a_ring(house: House) -> None:
    rang = await house.last_ring()
    assert house.home.door is not None
    await house.home.door.stop()
    await house.assistant.shows(RING, lambda state: state["state"] == AWAY)
    house.home.pins.reset()
    await house.home._start_door()
    assert await house.last_ring() == rang


async def test_home_assistant_complains_of_nothing(house: House) -> None:
    assert house.assistant.complaints() == []
