"""The page in each of its languages, as a browser of that language shows it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from intercom.languages import DIRECTORY, LANGUAGES
from tests.station.conftest import new_profile
from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOCALES = {"en": "en-US", "de": "de-AT", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "nl": "nl-NL"}
CUT_OFF = """() => [document.documentElement,
    ...document.querySelectorAll("button, label, a, summary, select, .pill, .row span, dt, h1, h2, p")]
    .filter((node) => node.checkVisibility() && !node.closest(".unseen"))
    .filter((node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== "inline")
    .map((node) => `${node.id || node.tagName}: ${node.textContent.trim().slice(0, 40)}`)"""

STEP_IN_EACH_STATE = """(states) => [...document.querySelectorAll("[data-step] > .step")].flatMap((step) => states
    .filter((state) => {
        step.querySelector(".step-state").textContent = state;
        return step.scrollWidth > step.clientWidth + 1;
    })
    .map((state) => `${step.parentElement.dataset.step}: ${state}`))"""


def sentences(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DIRECTORY / f"{language}.json").read_text())
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def speaker(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A small phone whose browser speaks the language of the test."""
    context = await new_profile(
        browser,
        service_worker="service_worker" in request.fixturenames,
        viewport={"width": 320, "height": 568},
        locale=LOCALES[request.param],
        permissions=["microphone"],
    )
    page = await context.new_page()
    yield page
    await context.close()


def spoken(*languages: str) -> pytest.MarkDecorator:
    """Run a test in browsers of these languages."""
    return pytest.mark.parametrize(("speaker", "language"), [(each, each) for each in languages], indirect=["speaker"])


@pytest.mark.usefixtures("service_worker")  # with it the page has more to say of notifications
@spoken(*LANGUAGES)
async def test_a_browser_reads_its_own_language_and_nothing_is_cut_off(
    speaker: Page, language: str, house: House, door: Door
) -> None:
    words = sentences(language)
    await speaker.goto(house.url)
    await state(speaker, "unpaired")
    assert await speaker.evaluate("document.documentElement.lang") == language
    await expect(speaker.locator("#unpaired-title")).to_have_text(words["unpaired.title"])
    assert await speaker.evaluate(CUT_OFF) == []
    await speaker.fill("#pair-code", next(iter(house.codes)))
    await speaker.click("#pair")
    await state(speaker, "ready")
    await expect(speaker.locator("#status")).to_have_text(words["status.ready"])
    for step in ("name", "microphone", "push", "open", "closed"):
        await speaker.evaluate(f"document.querySelector('[data-step={step}] > button').click()")
        assert await speaker.evaluate(CUT_OFF) == []
    await speaker.click("#walk-close")
    assert await speaker.evaluate(CUT_OFF) == []
    await speaker.click("#add-device")
    await until(speaker, "document.querySelector('#invite-qr').naturalWidth > 0")
    assert await speaker.evaluate(CUT_OFF) == []
    await house.invite("c1", await door.offer(), ring="r1")
    await state(speaker, "ringing")
    await expect(speaker.locator("#answer")).to_have_text(words["ringing.answer"])
    assert await speaker.evaluate(CUT_OFF) == []
    await speaker.click("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    async with asyncio.timeout(60):
        await door.connected.wait()
    await state(speaker, "in-call")
    await speaker.keyboard.press("m")
    await expect(speaker.locator("#mute span")).to_have_text(words["call.unmute"])
    assert await speaker.evaluate(CUT_OFF) == []
    await speaker.keyboard.press("o")
    await house.door_says("c1", "open")
    await expect(speaker.locator("#open-words")).to_have_text(words["lock.open"])
    assert await speaker.evaluate(CUT_OFF) == []
    await speaker.click("#more-open")
    assert await speaker.evaluate(CUT_OFF) == []
    await speaker.click("#more-close")
    await speaker.click("#hangup")
    await state(speaker, "ready")
    await expect(speaker.locator("#last-call")).to_contain_text(words["cause.NORMAL_CLEARING"])
    said = await speaker.inner_text("#last-call")
    assert bool(re.search(r"[AP]M", said)) is (language == "en")


@spoken(*LANGUAGES)
async def test_each_step_of_the_walk_has_room_for_each_of_its_states(
    speaker: Page, language: str, house: House
) -> None:
    words = sentences(language)
    await speaker.goto(house.url)
    await state(speaker, "unpaired")
    await speaker.fill("#pair-code", next(iter(house.codes)))
    await speaker.click("#pair")
    await state(speaker, "ready")
    states = [words[f"step.{each}"] for each in ("done", "todo", "cannot")]
    for step in ("trust", "name", "microphone", "push", "open", "closed"):
        await speaker.evaluate(f"document.querySelector('[data-step={step}] > button').click()")
        assert await speaker.evaluate(STEP_IN_EACH_STATE, states) == []


@spoken("de")
async def test_no_other_language_is_shown_while_the_sentences_are_on_their_way(
    speaker: Page, language: str, house: House
) -> None:
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()

    async def hold(route: Route) -> None:
        held.set_result(route)

    await speaker.route("**/languages/de.json", hold)
    await speaker.goto(house.url, wait_until="commit")
    route = await asyncio.wait_for(held, 60)
    assert (await speaker.inner_text("body")).split() in ([], ["Intercom"])
    await route.continue_()
    await state(speaker, "unpaired")
    await expect(speaker.locator("#status")).to_have_text("Nicht gekoppelt")


async def test_the_owner_of_a_device_chooses_its_language(station: Page) -> None:
    await station.click("#walk-close")
    await station.select_option("#language", "fr")
    await expect(station.locator("#ready-title")).to_have_text("Personne à la porte")
    assert await station.evaluate("document.documentElement.lang") == "fr"
    await station.select_option("#language", "")
    await expect(station.locator("#ready-title")).to_have_text("Nobody at the door")


@pytest.mark.usefixtures("service_worker")
async def test_a_language_is_there_without_the_house(station: Page, house: House) -> None:
    await station.click("#walk-close")
    await station.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await station.select_option("#language", "it")
    await expect(station.locator("#ready-title")).to_have_text("Nessuno alla porta")
    await house.stop()
    await station.reload()
    await expect(station.locator("#lost-title")).to_have_text("Nessuna connessione")
