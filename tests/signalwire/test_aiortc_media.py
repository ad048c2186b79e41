"""The media for scripts: what they measure, over a real connection."""

from __future__ import annotations

import asyncio

from intercom.signalwire.aiortc_media import AiortcMedia


async def test_silence_is_measured_from_the_last_packet_and_only_while_sound_is_expected() -> None:
    near, far = (AiortcMedia().open(name, [], audio=True, video=False) for name in ("near", "far"))
    await near.accept_answer(await far.create_answer(await near.create_offer()))
    assert (await near.call_counters())["silent_s"] == 0.0
    async with asyncio.timeout(60):
        while not (await near.call_counters()).get("audio_packets_received"):
            await asyncio.sleep(0.05)
        await far.close()
        while (await near.call_counters())["silent_s"] < 0.3:
            await asyncio.sleep(0.05)
    near.expect_sound(False)
    assert (await near.call_counters())["silent_s"] == 0.0
    await near.close()


async def test_an_end_that_only_receives_hears_the_other_and_sends_nothing() -> None:
    near = AiortcMedia().open("near", [], audio=False, video=False, receive_audio=True)
    far = AiortcMedia().open("far", [], audio=True, video=False)
    await near.accept_answer(await far.create_answer(await near.create_offer()))
    async with asyncio.timeout(60):
        while (await near.call_counters()).get("audio_packets_received", 0) < 10:
            await asyncio.sleep(0.05)
    assert not (await far.call_counters()).get("audio_packets_received")
    await near.close()
    await far.close()
