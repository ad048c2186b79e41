"""A whole door station carries its calls out to their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.config import AudioConfig, CallConfig
from intercom.door.machine import State
from intercom.media.sound.mixer import Playing
from intercom.signalwire import AiortcMedia, SignalWire, SpaceCredentials
from tests.e2e.home import Home, home_config


async def test_a_call_is_warned_by_a_beep_ends_at_its_limit_and_frees_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = CallConfig(time_limit_s=1, warning_before_end_s=0.5)
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), call=limit))
    await home.start()
    try:
        assert home.door is not None
        engine, heard = home.door.engine, list[tuple[str, State]]()
        play = engine.play

        def hear(name: str, *, repeat: bool = False) -> Playing:
            heard.append((name, home.machine_state))
            return play(name, repeat=repeat)

        monkeypatch.setattr(engine, "play", hear)
        home.door.calls.ring("/public/echo")
        await home.was(State.IN_CALL)
        await home.until(State.IDLE)
        assert ("call_ending", State.IN_CALL) in heard
        await home.wait_for(lambda: not engine.stats().running, "the card to rest")
    finally:
        await home.stop()


async def test_a_hang_up_between_the_answering_press_and_the_answer_ends_the_call(tmp_path: Path) -> None:
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated")))
    await home.start()
    home.space.store.add_subscriber("aunt", "Aunt")
    home.space.write_credential("aunt", tmp_path / "aunt.json")
    try:
        async with SignalWire(SpaceCredentials(tmp_path / "aunt.json"), media=AiortcMedia()) as aunt:
            await aunt.register()
            call = await aunt.dial("/private/door", video=False)
            await home.until(State.RINGING)
            assert home.door is not None
            home.door.calls.press()
            assert home.machine_state is State.IN_CALL
            assert await home.door.calls.hang_up()
            await home.until(State.IDLE)
            await call.wait_destroyed()
            assert home.door.recorder.call is None
    finally:
        await home.stop()
