"""What the page does when the browser, or the resident, keeps the microphone from it."""

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSE = """() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.refusal = "NotAllowedError";
    navigator.mediaDevices.getUserMedia = (wish) => window.refusal
        ? Promise.reject(new DOMException("no", window.refusal)) : ask(wish);
}"""


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("NotAllowedError", "The microphone is blocked"),
        ("NotFoundError", "No microphone found"),
        ("NotReadableError", "Another program uses the microphone"),
    ],
)
async def test_without_a_microphone_the_house_still_sees_and_hears(
    station: Page, house: House, door: Door, refusal: str, words: str
) -> None:
    await station.evaluate(REFUSE)
    await station.evaluate(f"() => {{ window.refusal = '{refusal}' }}")
    await house.connect_call(station, door, "c1")
    await expect(station.locator("#error")).to_contain_text(words)
    await until(station, "document.querySelector('#remote-video').currentTime > 0.5")
    await until(station, "document.querySelector('#level-in span').getBoundingClientRect().width > 20")


async def test_a_microphone_that_appears_in_the_call_is_heard_at_once(station: Page, house: House, door: Door) -> None:
    await station.evaluate(REFUSE)
    await station.evaluate("() => { window.refusal = 'NotFoundError' }")
    await house.connect_call(station, door, "c1")
    await expect(station.locator("#error")).to_contain_text("No microphone found")
    assert not door.heard_something.is_set()
    await station.evaluate(
        "() => { window.refusal = ''; navigator.mediaDevices.dispatchEvent(new Event('devicechange')); }"
    )
    await door.heard_something.wait()
    await expect(station.locator("#error")).to_be_hidden()


async def test_an_answer_does_not_wait_for_a_question_about_the_microphone(
    station: Page, house: House, door: Door
) -> None:
    await station.evaluate("() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}) }")
    await house.connect_call(station, door, "c1")
    await until(station, "document.querySelector('#remote-video').currentTime > 0.5")
    await state(station, "in-call")


async def test_the_microphone_is_let_go_when_nobody_answers(station: Page, house: House, door: Door) -> None:
    await station.evaluate(
        """() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wish) => (window.opened = await ask(wish));
        }"""
    )
    await house.invite("c1", await door.offer())
    await until(station, "window.opened?.active")
    await house.bye("c1", "ORIGINATOR_CANCEL")
    await until(station, "!window.opened.active")
