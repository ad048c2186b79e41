"""How many filters look for the echo's delay is chosen where WebRTC's configuration is as it is known."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from intercom.media.echo import delay_search
from intercom.media.echo.delay_search import CONSTRUCTOR, LONG, SHORT, new_processor
from intercom.media.echo.webrtc import CANCELLER_HZ, WebRtcBackend, open_noise_suppression
from intercom.media.native import module

pytestmark = pytest.mark.skipif(not module.is_there(), reason=module.why_not())
WITHOUT = """
import sys
sys.modules["intercom.media.native._native"] = None
from intercom.media.echo.webrtc import WebRtcBackend
print(WebRtcBackend(1).filters)
"""
LOADED_BEFORE = """
import pywebrtc_audio
from intercom.media.echo.short_search import open_webrtc
from intercom.media.echo.webrtc import WebRtcBackend
print(WebRtcBackend(1).filters, type(open_webrtc()).__name__)
"""
Members = ctypes.c_size_t * 6


def said_by(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("filters", range(SHORT, LONG + 1))
def test_the_number_of_filters_is_chosen(filters: int) -> None:
    assert new_processor(filters, sample_rate=CANCELLER_HZ, echo_cancellation=True)[1] == filters


def test_a_canceller_that_forgets_its_room_keeps_the_number() -> None:
    short = WebRtcBackend(SHORT)
    open_noise_suppression()
    short.reset()
    assert short.filters == SHORT


def test_without_a_canceller_there_is_nothing_to_choose() -> None:
    assert new_processor(SHORT, sample_rate=CANCELLER_HZ, noise_suppression=True)[1] == LONG


def test_without_the_compiled_module_webrtc_looks_as_far_back_as_by_itself() -> None:
    assert said_by(WITHOUT) == "5"


def test_a_package_that_was_loaded_before_looks_as_far_back_as_by_itself() -> None:
    assert said_by(LOADED_BEFORE) == "5 WebRtcBackend"


@pytest.fixture
def constructed() -> Iterator[Callable[[list[int]], list[int]]]:
    """Return what becomes of a configuration that the package's constructor makes like this."""
    from intercom.media.native import _native

    def of(theirs: list[int]) -> list[int]:
        make = ctypes.CFUNCTYPE(None, ctypes.POINTER(Members))(lambda made: made.__setitem__(0, Members(*theirs)))
        address = ctypes.cast(make, ctypes.c_void_p).value
        assert address is not None
        _native.choose_filters(address, SHORT)
        made = Members()
        ctypes.CDLL(_native.__file__)[CONSTRUCTOR](ctypes.byref(made))
        return list(made)

    yield of
    _native.choose_filters(delay_search._constructor(), LONG)


def test_a_configuration_that_is_known_gets_the_number(constructed: Callable[[list[int]], list[int]]) -> None:
    assert constructed([5, 4, 5, 32, 1, 0]) == [5, 4, SHORT, 32, 1, 0]


@pytest.mark.parametrize("member", range(6))
def test_one_that_has_become_another_is_left_alone(constructed: Callable[[list[int]], list[int]], member: int) -> None:
    theirs = [5, 4, 5, 32, 1, 0]
    theirs[member] += 1
    assert constructed(theirs) == theirs
