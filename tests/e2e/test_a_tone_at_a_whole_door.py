"""A visitor plays a telephone key at the microphone of a whole door, whose call sends it back: it stays shut."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from intercom.config import AccountConfig, AudioConfig, CallConfig, CameraConfig, Config, DoorConfig, PanelConfig
from intercom.door.appliance import Appliance
from intercom.door.machine import Phase
from intercom.media.sound.format import RATE_HZ
from intercom.opening.decision import Ruling
from tests.media.dtmf.test_in_band import key_tone

QUIET = np.zeros(RATE_HZ // 2, np.int16)
KEY = "1"
HEARD_S = 140.0
"""Time limit for a tone that comes back whole: seconds, on a busy machine too."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Path]:
    """A space in a process of its own; where the door's state is."""
    config = tmp_path / "space.toml"
    config.write_text('[space]\nlisten = "127.0.0.1:0"\n')
    command = [sys.executable, "-m", "intercom", "space", "--config", str(config), "--state-dir", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "serves at" in line:
                break
        yield tmp_path
        process.send_signal(signal.SIGINT)
        process.communicate()


async def test_a_whole_door_that_calls_the_echo_stays_shut_while_a_tone_plays(house: Path) -> None:
    # Without a canceller, which would take the visitor's tone for its echo. The key is one that Opus carries whole.
    tones = [key_tone(KEY, 0.3), QUIET[: RATE_HZ // 5]] * 10
    playing = house / "tone.wav"
    with wave.open(str(playing), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate([QUIET, *tones]).tobytes())
    config = Config(
        account=AccountConfig(credential_file=str(house / "door.json")),
        audio=AudioConfig(card="simulated", simulated_voice=str(playing), echo_canceller="none"),
        call=CallConfig(video=False),
        camera=CameraConfig(source="off"),
        panel=PanelConfig(pins="simulated", page_listen=""),
        door=DoorConfig(keys_in_sound=True, open_digits=KEY),
    )
    door = Appliance(config, state_dir=house)
    await door.start()
    try:
        async with asyncio.timeout(HEARD_S):
            while not door.figures.doors_refused[Ruling.ECHO]:
                if door.machine.registered and door.machine.phase is Phase.NONE:
                    door.calls.ring("/public/echo")
                await asyncio.sleep(0.02)
        assert door.figures.doors_opened == 0
        assert not door.panel.door.is_open
    finally:
        await door.stop()
