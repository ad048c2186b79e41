"""The page in Firefox ESR as Debian ships it: without H.264, and here without a loudspeaker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.firefox import FirefoxPage, firefox
from tests.station.door import Door
from tests.station.house import House

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def tab(house: House) -> AsyncIterator[FirefoxPage]:
    """The page, paired and ready."""
    async with firefox() as opened:
        await opened.goto(f"{house.url}#pair=ABCD2345")
        await opened.until("document.body.dataset.state === 'ready'")
        yield opened


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
    await tab.tap("#walk-close")
    await tab.tap("#bell")
    await tab.until("document.body.dataset.bell === 'none'")
    assert "no loudspeaker" in await tab.text("#bell-words")
    await house.invite("c1", await door.offer())
    await tab.until("document.body.dataset.state === 'ringing'")
    assert "tap anywhere" not in await tab.text("#silent-bell")
    assert "no loudspeaker" in await tab.text("#silent-bell")
