"""The main job in Firefox ESR as Debian ships it, with a real door, whether it has H.264 or not."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import StartHome
from tests.firefox import firefox

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_resident_answers_talks_and_opens_in_firefox(start_home: StartHome) -> None:
    home = await start_home()
    async with firefox() as tab:
        await tab.goto(home.space.invite(name="Kitchen").url)
        await tab.until("document.body.dataset.state === 'ready'")
        await home.press()
        await tab.until("document.body.dataset.state === 'ringing'")
        await tab.tap("#answer")
        await tab.until("document.body.dataset.state === 'in-call'")
        await home.talks()
        await tab.until("document.querySelector('#elapsed').textContent.includes(':')")
        assert home.door is not None
        call = home.door.calls.call
        assert call is not None
        media = home.door.media

        def is_heard() -> bool:
            stats = media.stats(call.id)
            return stats is not None and stats.far_end is not None and stats.far_end.received > 50

        await home.wait_for(is_heard, "the resident's voice")
        await tab.until("document.querySelector('#remote-video').classList.contains('live')")
        await tab.tap("#open-door")
        await home.wait_for(home.relay_was_on, "the relay")
