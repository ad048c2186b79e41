"""A USB headset on a real kernel: it comes, carries sound, and goes in the middle of it."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import alsaaudio
import numpy as np
import numpy.typing as npt
import pytest

from intercom.media.cards.card import open_pcm
from tests.alsa import tone, tone_level_db
from tests.hardware.headset import CARD_LIMIT_S, Headset
from tests.hardware.uac1 import UsbHeadset
from tests.hardware.wait import until

RATE_HZ = 48_000
PERIOD = 480
MICROPHONE_DB, TONE_DB = -12.2, -12.0
"""Levels of the headset's tone, and of `tone`'s."""
LIMIT_S = 60.0
CAPTURE, PLAYBACK = alsaaudio.PCM_CAPTURE, alsaaudio.PCM_PLAYBACK


def opened(direction: int, card: str, device: int = 0) -> alsaaudio.PCM:
    return alsaaudio.PCM(
        type=direction,
        device=f"plughw:CARD={card},DEV={device}",
        rate=RATE_HZ,
        channels=1,
        format=alsaaudio.PCM_FORMAT_S16_LE,
        periodsize=PERIOD,
        periods=4,
    )


def until_heard(pcm: alsaaudio.PCM, hz: int, level_db: float) -> None:
    """Read until the last half second held this tone, without a gap: a machine that stands still leaves one."""
    heard = b""

    def listen() -> bool:
        nonlocal heard
        heard = (heard + pcm.read()[1])[-RATE_HZ:]
        return len(heard) == RATE_HZ and abs(tone_level_db(np.frombuffer(heard, np.int16), hz) - level_db) < 1

    until(listen, LIMIT_S, f"{hz} Hz at {level_db} dB")


@contextmanager
def playing(pcm: alsaaudio.PCM, samples: npt.NDArray[np.int16]) -> Iterator[None]:
    """Play a second over and over meanwhile, a hundredth at once."""
    over = threading.Event()

    def play() -> None:
        for block in itertools.cycle(np.split(samples, 100)):
            if over.is_set():
                return
            pcm.write(block.tobytes())

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        pcm.drop()
        pcm.close()


@contextmanager
def udev_events(subsystem: str) -> Iterator[list[str]]:
    """Collect what udev tells programs, as it comes."""
    command = ["udevadm", "monitor", "--udev", f"--subsystem-match={subsystem}"]
    events: list[str] = []
    with subprocess.Popen(["stdbuf", "-oL", *command], stdout=subprocess.PIPE, text=True) as monitor:
        assert monitor.stdout is not None
        for line in monitor.stdout:  # its greeting ends with an empty line once it listens
            if not line.strip():
                break
        told = (line.strip() for line in monitor.stdout if line.startswith("UDEV"))
        reader = threading.Thread(target=lambda: events.extend(told))
        reader.start()
        yield events
        monitor.terminate()
        reader.join(LIMIT_S)


def udev_properties(device: Path) -> list[str]:
    asked = ["udevadm", "info", "--query=property", f"--path={device}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_plugged_headset_is_a_card_that_plays_and_records(headset: Headset) -> None:
    headset.plug()

    assert "Headset" in alsaaudio.cards()
    devices = Path("/proc/asound/Headset")
    assert {path.name for path in devices.glob("pcm*")} == {"pcm0p", "pcm0c"}


def test_the_card_tells_which_device_it_is(headset: Headset) -> None:
    headset.plug()

    card = Path("/sys/class/sound", Path("/proc/asound/Headset").readlink().name)
    known = {"ID_VENDOR_ID=0d8c", "ID_MODEL_ID=0014", "ID_SERIAL_SHORT=0001", "ID_PATH=platform-vhci_hcd.0-usb-0:1:1.0"}
    until(lambda: known <= set(udev_properties(card)), CARD_LIMIT_S, f"udev knows {known}")


def test_udev_tells_when_a_card_comes_and_goes(headset: Headset) -> None:
    with udev_events("sound") as events:
        headset.plug()
        headset.unplug()
        until(lambda: actions(events)[-1:] == ["remove"], CARD_LIMIT_S, "udev tells that the card goes")
    assert actions(events)[0] == "add"


def actions(events: list[str]) -> list[str]:
    """What happened to cards."""
    words = [line.split() for line in tuple(events)]
    return [action for _, _, action, device, *_ in words if device.rpartition("/")[2].startswith("card")]


@contextmanager
def twins() -> Iterator[Headset]:
    """Plug in two headsets of one name; return the first while the kernel has its hands full with the second."""
    with Headset(UsbHeadset(serial="")) as first, Headset(UsbHeadset(serial="")) as second:
        first.plug()
        second.plug(wait=False)
        until(Path("/proc/asound/Headset_1").is_symlink, CARD_LIMIT_S, "the twin's card appears")
        yield first


def test_twins_without_a_serial_number_get_ids_in_the_order_of_plugging() -> None:
    with twins():
        assert {"Headset", "Headset_1"} <= set(alsaaudio.cards())


def test_a_headset_is_not_taken_for_one_of_its_name_that_the_kernel_has_not_let_go(headset: Headset) -> None:
    headset.tone(1000)
    with twins() as former:
        former.unplug()
        headset.plug()
        pcm = opened(CAPTURE, headset.card)
        until_heard(pcm, 1000, MICROPHONE_DB)
        pcm.close()


def test_a_headset_that_was_taken_away_has_left_no_card() -> None:
    with twins():
        pass
    assert not {"Headset", "Headset_1"} & set(alsaaudio.cards())


def test_the_microphone_is_heard(headset: Headset) -> None:
    headset.tone(1000)
    headset.plug()
    pcm = opened(CAPTURE, headset.card)
    until_heard(pcm, 1000, MICROPHONE_DB)
    pcm.close()


def test_what_is_played_comes_out_of_the_speaker(headset: Headset) -> None:
    headset.plug()

    def heard() -> bool:
        last = headset.heard()[-RATE_HZ // 4 :]
        return len(last) == RATE_HZ // 4 and abs(tone_level_db(last, 700) - TONE_DB) < 1

    with playing(opened(PLAYBACK, headset.card), tone(700, 1.0)):
        until(heard, LIMIT_S, "a quarter of a second of the tone, without a gap")


def test_pulling_the_headset_ends_a_blocked_read(headset: Headset) -> None:
    headset.plug()
    pcm = opened(CAPTURE, headset.card)
    pcm.read()
    pulled = headset.unplug()

    with pytest.raises(alsaaudio.ALSAAudioError):
        while time.monotonic() < pulled + LIMIT_S:
            pcm.read()

    pcm.close()


def test_a_frozen_headset_fails_a_read_and_carries_on_when_it_wakes(
    headset: Headset,
) -> None:
    headset.plug()
    pcm = opened(CAPTURE, headset.card)
    pcm.read()
    headset.freeze()

    frozen = time.monotonic()
    with pytest.raises(alsaaudio.ALSAAudioError, match="Input/output error"):
        while time.monotonic() < frozen + LIMIT_S:
            pcm.read()

    headset.thaw()
    pcm.close()
    pcm = opened(CAPTURE, headset.card)
    until(lambda: pcm.read()[0] == PERIOD, LIMIT_S, "a period of sound")
    pcm.close()


def test_a_headset_that_returns_opens_under_the_same_name(headset: Headset) -> None:
    headset.plug()
    held = opened(PLAYBACK, headset.card)
    headset.unplug()
    until(lambda: not Path("/proc/asound/Headset").is_symlink(), CARD_LIMIT_S, "the card goes")

    headset.plug()
    opened(PLAYBACK, headset.card).close()
    held.close()


def test_the_loopback_card_plays_into_its_other_end() -> None:
    mouth, ear = opened(PLAYBACK, "Ring"), opened(CAPTURE, "Ring", device=1)
    with playing(mouth, tone(500, 1.0)):
        until_heard(ear, 500, TONE_DB)
    ear.close()


@pytest.mark.parametrize("name", ["plughw:CARD=Ring,DEV=1", "hw:CARD=Ring,DEV=1"])
def test_a_card_of_another_rate_and_channel_count_is_converted_whatever_its_name(name: str) -> None:
    rate_hz, period = 44_100, 441
    mouth = alsaaudio.PCM(  # a loopback card has the rate and the channels of whoever opened its other end
        type=PLAYBACK, device="hw:CARD=Ring,DEV=0", rate=rate_hz, channels=2, periodsize=period, periods=4
    )
    stereo = np.repeat(tone(500 * RATE_HZ / rate_hz, 1.2), 2)[: 2 * rate_hz]
    mouth.write(stereo[: 2 * period].tobytes())  # the other end has this one's rate once it plays
    ear = open_pcm("capture", name)
    with playing(mouth, stereo):
        until_heard(ear, 500, TONE_DB)
    ear.close()


def test_the_loopback_card_can_be_pulled_out_and_put_back() -> None:
    driver = Path("/sys/bus/platform/drivers/snd_aloop")
    (driver / "unbind").write_text("snd_aloop.0")
    assert "Ring" not in alsaaudio.cards()

    (driver / "bind").write_text("snd_aloop.0")
    until(lambda: "Ring" in alsaaudio.cards(), CARD_LIMIT_S, "the card returns")
