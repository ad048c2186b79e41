"""Cards whose samples are not of 16 bits, as many microphones on the Pi's I2S pins and on USB."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONF = """\
</usr/share/alsa/alsa.conf>
pcm.wide { type lfloat slave { pcm { type null } format S16_LE } }
"""
"""A PCM that takes and gives samples of 32 bits alone."""
CAPTURE = "print({pcm.read()[0] for _ in range(300)}, len(pcm.read()[1]))"
PLAYBACK = "print(pcm.write(bytes(960)))"


def run(conf: Path, direction: str, use: str) -> subprocess.CompletedProcess[str]:
    """Open the PCM and use it, in a process of its own: what is written beyond a block ends it."""
    program = f"from intercom.media.cards.card import open_pcm; pcm = open_pcm({direction!r}, 'wide'); {use}"
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "ALSA_CONFIG_PATH": str(conf)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    file = tmp_path / "asound.conf"
    file.write_text(CONF)
    return file


def test_a_microphone_of_32_bits_is_heard_in_16(conf: Path) -> None:
    done = run(conf, "capture", CAPTURE)
    assert (done.returncode, done.stdout) == (0, "{3840} 7680\n"), done.stderr


def test_a_speaker_of_32_bits_gets_what_it_takes(conf: Path) -> None:
    done = run(conf, "playback", f"print(pcm.info()['format']); {PLAYBACK}")
    assert (done.returncode, done.stdout) == (0, "2\n480\n"), done.stderr


def test_a_block_has_room_for_what_the_card_gives(conf: Path) -> None:
    opened = "AlsaPcm('capture', 'wide', rate=48000, channels=1, period=480, periods=8)"
    done = run(conf, "capture", f"from intercom.media.cards.alsa_pcm import AlsaPcm; pcm = {opened}; {CAPTURE}")
    assert (done.returncode, done.stdout) == (0, "{3840} 15360\n"), done.stderr
