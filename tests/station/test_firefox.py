"""The page in Firefox ESR as Debian ships it: without H.264, and here without a loudspeaker. One browser for all."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.firefox import FirefoxPage, firefox
from tests.station.door import Door
from tests.station.house import House, Json

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser_tab() -> AsyncIterator[FirefoxPage]:
    """Firefox's one tab, which goes from house to house."""
    async with firefox() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser_tab: FirefoxPage, house: House) -> FirefoxPage:
    """The page, paired and ready: each house is another origin, of which the browser knows nothing yet."""
    await browser_tab.goto(f"{house.url}#pair=ABCD2345")
    await browser_tab.until("document.body.dataset.state === 'ready'")
    await browser_tab.tap("#walk-close")
    return browser_tab


async def talk(tab: FirefoxPage, house: House, door: Door) -> str:
    """Ring the page and let it answer; return the door's offer."""
    offer = await door.offer()
    await house.tell_ring("r1", "ringing")
    await house.invite("c1", offer, ring="r1")
    await tab.until("document.body.dataset.state === 'ringing'")
    await tab.tap("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await tab.until("document.body.dataset.state === 'in-call'")
    return offer


def only_h264(sdp: str) -> str:
    """An offer whose picture comes in H.264 alone, as a door's camera makes it."""
    head, video, rest = sdp.partition("m=video ")
    lines = (video + rest).split("\r\n")
    h264 = {line.split(":")[1].split(" ")[0] for line in lines if line.startswith("a=rtpmap:") and "H264/" in line}
    port, profile = lines[0].split(" ")[1:3]
    kept = [" ".join(["m=video", port, profile, *sorted(h264)])]
    for line in lines[1:]:
        numbered = line.startswith(("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"))
        if not numbered or line.split(":")[1].split(" ")[0] in h264:
            kept.append(line)
    return head + "\r\n".join(kept)


async def test_a_browser_without_h264_says_why_there_is_no_picture(tab: FirefoxPage, house: House, door: Door) -> None:
    if await tab.evaluate("RTCRtpReceiver.getCapabilities('video').codecs.some((c) => c.mimeType === 'video/H264')"):
        pytest.skip("this Firefox has H.264: Debian's has none until its OpenH264 plugin is fetched")
    await house.invite("c1", only_h264(await door.offer()))
    await tab.until("document.body.dataset.state === 'ringing'")
    await tab.tap("#answer")
    await tab.until("document.body.dataset.state === 'in-call'")
    await tab.until("document.querySelector('#no-picture').textContent.includes('no H.264')")


async def test_a_device_without_a_loudspeaker_is_told_so_and_not_to_tap_for_ever(
    tab: FirefoxPage, house: House, door: Door
) -> None:
    await tab.evaluate("AudioContext.prototype.resume = () => new Promise(() => {})")  # no sound card answers
    await tab.tap("#bell")
    await tab.until("document.body.dataset.bell === 'none'")
    assert "no loudspeaker" in await tab.text("#bell-words")
    await house.invite("c1", await door.offer())
    await tab.until("document.body.dataset.state === 'ringing'")
    assert "tap anywhere" not in await tab.text("#silent-bell")
    assert "no loudspeaker" in await tab.text("#silent-bell")


async def test_of_two_doors_the_second_is_seen_beside_the_call_and_taken_by_a_tap(
    tab: FirefoxPage, house: House, door: Door
) -> None:
    offer = await talk(tab, house, door)
    answered = len(house.received)
    await house.invite("c2", offer, name="Back door", number="/private/back-door")
    await tab.until("document.querySelector('#waiting .waiting-name')?.textContent === 'Back door'")
    await tab.tap("#waiting .waiting-answer")
    assert (await house.wait_for_verto("verto.answer", after=answered))["dialogParams"]["callID"] == "c2"
    assert (await house.wait_for_verto("verto.bye", after=answered))["dialogParams"]["callID"] == "c1"
    assert await tab.text("#call-title") == "Back door"
    await tab.until("!document.querySelector('#waiting li')")


async def test_a_tap_has_the_door_reply_and_another_lets_the_call_go_on(
    tab: FirefoxPage, house: House, door: Door
) -> None:
    replies: Json = {"replies": [{"name": "coming", "text": "I am coming."}]}
    house.says = lambda words: {"said": "I am coming."} if words else replies
    await talk(tab, house, door)
    await tab.until("document.querySelectorAll('#reply-list button').length === 2")
    await tab.tap("#reply-list button")
    await tab.until("document.querySelector('#reply-said').textContent === 'The door says: I am coming.'")
    await house.call_ends("c1", "ending", 300)
    await tab.until("/[0-5]:[0-5][0-9]/.test(document.querySelector('#ending-left').textContent)")
    await tab.tap("#talk-on")
    assert (await house.wait_for_verto("verto.info"))["intercom"] == {"talk": "on"}
    await house.call_ends("c1", "on", 300)
    await tab.until("document.querySelector('#ending').hidden")
