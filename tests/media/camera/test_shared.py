"""One camera, many consumers: who runs it, who gets what, and what a broken one does to them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from intercom.media.camera.events import CameraLost, CameraReturned, CameraStarted, CameraStopped
from intercom.media.camera.shared import Camera
from intercom.media.camera.source import CameraError, Deliver
from intercom.media.camera.stream import QUEUE_LIMIT
from intercom.media.codec.h264 import AccessUnit
from tests.media.camera.filmed import LIMIT_S, FilmedSource, Told, camera_threads, happens, have_ended


async def test_the_camera_is_off_until_somebody_looks(camera: Camera, source: FilmedSource) -> None:
    assert not camera.is_running
    assert source.runs == 0


async def test_the_camera_runs_from_the_first_look_to_the_last(
    camera: Camera, source: FilmedSource, told: Told
) -> None:
    call, preview = camera.frames(), camera.frames()
    await happens(source.running)
    call.close()
    source.film(keyframe=True)
    await preview.next()
    assert source.running.is_set()
    preview.close()
    await told.wait_for(CameraStopped)
    assert told.events == [CameraStarted("a camera in a test"), CameraStopped()]
    assert source.runs == 1


async def test_a_camera_that_is_always_on_runs_before_anybody_looks_and_gives_them_its_picture_at_once(
    source: FilmedSource,
) -> None:
    camera = Camera(source, always_on=True)
    assert not camera.is_running  # whoever builds it decides when
    camera.begin()
    await happens(source.running)
    keyframe = source.film(keyframe=True)
    with camera.frames() as before:
        assert await before.next() == keyframe
    with camera.frames() as frames:
        assert await frames.next() == keyframe
    await asyncio.to_thread(camera.stop)
    assert not source.running.is_set()
    assert source.runs == 1


async def test_a_camera_that_is_always_on_is_off_while_it_is_forbidden(source: FilmedSource, told: Told) -> None:
    camera = Camera(source, on_event=told, always_on=True)
    camera.forbid(True)
    camera.begin()
    assert not camera.is_running
    camera.forbid(False)
    await happens(source.running)
    camera.forbid(True)
    await told.wait_for(CameraStopped)
    await asyncio.to_thread(camera.stop)


async def test_a_camera_that_is_always_on_is_tried_again_when_it_fails(source: FilmedSource, told: Told) -> None:
    camera = Camera(source, on_event=told, always_on=True, retry_s=0)
    camera.begin()
    source.script.put(CameraError("unplugged"))
    await told.wait_for(CameraLost)
    source.film(keyframe=True)
    await told.wait_for(CameraReturned)
    await asyncio.to_thread(camera.stop)


async def test_who_looks_through_a_camera_that_is_always_on_and_was_missing_waits_for_no_retry(
    source: FilmedSource, told: Told
) -> None:
    camera = Camera(source, on_event=told, always_on=True, retry_s=10 * LIMIT_S)
    camera.begin()
    source.script.put(CameraError("unplugged"))
    await told.wait_for(CameraLost)
    with camera.frames() as frames:
        back = source.film(keyframe=True)
        async with asyncio.timeout(LIMIT_S):
            assert await frames.next() == back
    await asyncio.to_thread(camera.stop)


async def test_a_camera_that_runs_is_well_when_another_is_plugged_in(source: FilmedSource) -> None:
    camera = Camera(source, always_on=True, stall_s=30)
    camera.begin()
    source.film(keyframe=True)
    with camera.frames() as frames:
        await frames.next()
    assert camera.look_again()
    await asyncio.to_thread(camera.stop)


async def test_a_camera_that_starts_while_it_is_plugged_in_tells_with_its_first_picture_that_it_is_well(
    source: FilmedSource, told: Told
) -> None:
    camera = Camera(source, on_event=told, always_on=True)
    camera.begin()
    await happens(source.running)
    assert not camera.look_again()
    source.film(keyframe=True)
    await told.wait_for(CameraReturned)
    await asyncio.to_thread(camera.stop)


async def test_everybody_gets_every_picture_in_order(camera: Camera, source: FilmedSource) -> None:
    with camera.frames() as call, camera.frames() as preview:
        units = [source.film(keyframe=index == 0) for index in range(5)]
        assert [await call.next() for _ in units] == units
        assert [await preview.next() for _ in units] == units


async def test_a_consumer_that_goes_wrong_on_the_camera_s_thread_costs_nobody_a_picture(
    camera: Camera, source: FilmedSource, told: Told
) -> None:
    tries: list[AccessUnit] = []

    def goes_wrong(unit: AccessUnit) -> bool:
        tries.append(unit)
        raise ZeroDivisionError

    with camera.frames() as call, camera.frames() as preview:
        call.take_by(goes_wrong)
        waits = asyncio.ensure_future(call.next())
        await happens(source.asked)
        units = [source.film(keyframe=index == 0) for index in range(5)]
        assert [await waits, *[await call.next() for _ in units[1:]]] == units
        assert [await preview.next() for _ in units] == units
    assert tries == units[:1]
    assert not [event for event in told.events if isinstance(event, CameraLost)]


async def test_a_consumer_begins_with_a_keyframe_that_was_asked_for(camera: Camera, source: FilmedSource) -> None:
    with camera.frames() as frames:
        first = asyncio.ensure_future(frames.next())
        await happens(source.asked)
        source.film()
        keyframe = source.film(keyframe=True)
        assert await first == keyframe
        assert source.keyframe_requests == 1


async def test_who_reads_too_slowly_goes_on_at_the_next_keyframe(camera: Camera, source: FilmedSource) -> None:
    with camera.frames() as slow, camera.frames() as quick:
        for index in range(QUEUE_LIMIT + 2):
            source.film(keyframe=index == 0)
            await quick.next()
        keyframe = source.film(keyframe=True)
        await quick.next()
        assert await slow.next() == keyframe
        assert slow.dropped == QUEUE_LIMIT + 2


async def test_a_flood_of_requests_is_two_keyframes_a_second_and_the_last_is_not_lost(source: FilmedSource) -> None:
    now = [0.0]
    camera = Camera(source, clock=lambda: now[0], stall_s=30, start_s=30)
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        asked = source.keyframe_requests
        now[0] += 1
        for _ in range(10):
            camera.request_keyframe()
        assert source.keyframe_requests == asked + 1
        now[0] += 1
        source.film()
        await frames.next()
        assert source.keyframe_requests == asked + 2
    await asyncio.to_thread(camera.stop)


async def test_a_camera_that_goes_is_told_once_and_tried_until_it_is_back(
    camera: Camera, source: FilmedSource, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        for _ in range(3):
            source.script.put(CameraError("It was unplugged."))
        await told.wait_for(CameraLost)
        back = source.film(keyframe=True)
        assert await frames.next() == back
        await told.wait_for(CameraReturned)
    assert caplog.text.count("It was unplugged.") == 1
    assert [event for event in told.events if isinstance(event, CameraLost)] == [CameraLost("It was unplugged.")]


async def test_a_camera_that_was_lost_in_one_call_is_told_as_back_in_the_next(
    camera: Camera, source: FilmedSource, told: Told
) -> None:
    with camera.frames():
        source.script.put(CameraError("It was unplugged."))
        await told.wait_for(CameraLost)
    await told.wait_for(CameraStopped)
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        await told.wait_for(CameraReturned)


async def test_a_camera_that_is_back_keeps_to_the_bits_that_the_path_carries(
    camera: Camera, source: FilmedSource
) -> None:
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        camera.set_bitrate(200_000)
        source.script.put(CameraError("unplugged"))
        source.bitrate_bps = 1_000_000  # an encoder begins with what it was made for
        back = source.film(keyframe=True)
        assert await frames.next() == back
        assert source.bitrate_bps == 200_000


async def test_a_camera_that_hangs_is_started_again(source: FilmedSource, told: Told) -> None:
    camera = Camera(source, on_event=told, stall_s=0.2, start_s=30, retry_s=0.02)
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        lost = await told.wait_for(CameraLost)
        assert isinstance(lost, CameraLost)
        assert "0.2 s" in lost.reason
        for _ in range(2):
            assert await asyncio.to_thread(source.began.acquire, timeout=LIMIT_S), "it is started a second time"
        back = source.film(keyframe=True)
        assert await frames.next() == back
    await asyncio.to_thread(camera.stop)


async def test_a_fault_that_nobody_foresaw_is_told_and_does_not_end_the_picture(
    camera: Camera, source: FilmedSource, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    with camera.frames() as frames:
        source.script.put(ZeroDivisionError("deep inside a driver"))
        await told.wait_for(CameraLost)
        back = source.film(keyframe=True)
        assert await frames.next() == back
    assert "unexpected" in caplog.text


async def test_a_peek_does_not_start_the_camera(camera: Camera, source: FilmedSource) -> None:
    with pytest.raises(CameraError, match="runs while the door rings"):
        await camera.peek()
    assert source.runs == 0
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        assert await camera.peek() == b"jpeg"


async def test_the_cost_of_a_camera_that_does_not_run_is_not_told(camera: Camera, source: FilmedSource) -> None:
    assert camera.processor_share is None
    with camera.frames():
        assert camera.processor_share == source.processor_share


async def test_a_snapshot_starts_the_camera_and_stops_it_again(
    camera: Camera, source: FilmedSource, told: Told
) -> None:
    source.film(keyframe=True)
    assert await camera.snapshot() == b"jpeg"
    await told.wait_for(CameraStopped)


async def test_a_snapshot_of_a_running_camera_waits_for_nothing(camera: Camera, source: FilmedSource) -> None:
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        assert await camera.snapshot() == b"jpeg"


async def test_a_snapshot_of_a_camera_that_just_stops_and_starts_again_waits_for_its_picture(
    camera: Camera, source: FilmedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [CameraError("It gives no picture now.")] * 2

    def snapshot() -> bytes:
        if ends:
            raise ends.pop()
        return b"jpeg"

    monkeypatch.setattr(source, "snapshot", snapshot)
    taking = asyncio.ensure_future(camera.snapshot())
    await happens(source.running)
    for number in range(3):
        source.film(keyframe=number == 0)
    assert await taking == b"jpeg"


async def test_a_camera_that_is_forbidden_while_a_snapshot_waits_is_not_asked_again(
    camera: Camera, source: FilmedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []

    def snapshot() -> bytes:
        asked.append(None)
        camera.forbid(True)
        raise CameraError("It gives no picture now.")

    monkeypatch.setattr(source, "snapshot", snapshot)
    taking = asyncio.ensure_future(camera.snapshot())
    await happens(source.running)
    source.film(keyframe=True)
    with pytest.raises(CameraError, match="privacy"):
        await taking
    assert len(asked) == 1


async def test_a_closed_subscription_ends_its_loop(camera: Camera, source: FilmedSource) -> None:
    frames = camera.frames()
    source.film(keyframe=True)
    seen = []
    async for unit in frames:
        seen.append(unit)
        frames.close()
    assert len(seen) == 1
    with pytest.raises(EOFError):
        await frames.next()


def in_a_loop_that_ends(make: Callable[[], object]) -> None:
    async def look() -> None:
        make()

    asyncio.run(look())


async def test_a_consumer_whose_event_loop_is_gone_is_let_go(camera: Camera, source: FilmedSource, told: Told) -> None:
    await asyncio.to_thread(in_a_loop_that_ends, camera.frames)
    source.film(keyframe=True)
    await told.wait_for(CameraStopped)


async def test_a_consumer_that_left_pictures_unread_when_its_event_loop_ended_is_let_go(
    camera: Camera, source: FilmedSource, told: Told
) -> None:
    async def look() -> None:
        frames = camera.frames()
        source.film(keyframe=True)
        async with asyncio.timeout(LIMIT_S):
            while not frames._units:
                await asyncio.sleep(0.001)

    await asyncio.to_thread(lambda: asyncio.run(look()))
    source.film()
    await told.wait_for(CameraStopped)


class SlowToStop(FilmedSource):
    """A camera that needs its time to stop, as a Pi's does."""

    def __init__(self) -> None:
        super().__init__()
        self.told_to_stop = threading.Event()
        self.may_stop = threading.Event()

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        super().run(deliver, stopping)
        self.told_to_stop.set()
        self.may_stop.wait(LIMIT_S)


async def test_who_looks_again_while_the_camera_stops_waits_for_no_retry() -> None:
    source = SlowToStop()
    camera = Camera(source, stall_s=30, start_s=30, retry_s=30)
    try:
        with camera.frames():
            await happens(source.running)
        await happens(source.told_to_stop)
        with camera.frames():
            source.may_stop.set()
            assert source.began.acquire(timeout=0)
            assert await asyncio.to_thread(source.began.acquire, timeout=LIMIT_S), "it does not run again"
    finally:
        await asyncio.to_thread(camera.stop)


async def test_many_looks_leave_no_thread_behind(camera: Camera, source: FilmedSource, told: Told) -> None:
    before = camera_threads()
    for _ in range(50):
        source.film(keyframe=True)
        with camera.frames() as frames:
            await frames.next()
        await asyncio.to_thread(camera.stop, LIMIT_S)
    await have_ended(camera_threads() - before)
