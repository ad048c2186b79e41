"""The picture of a recording: the camera's own access units, on the timeline of the sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from intercom.media.camera.shared import Camera
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ, AccessUnit
from intercom.media.recording.mp4 import ParameterSets, Sample, in_file, parameter_sets

LONGEST_UNREAD = 400
"""Limit of pictures that wait to be written, some 15 s: a card that takes no more is given up before."""


class Pictures:
    """What the camera sees, from `begin` on. It runs from the construction on, so that it is warm by then.

    It ends by itself where the camera is forbidden, or begins to send another picture than the file was made for.
    """

    def __init__(self, camera: Camera, *, clock: Callable[[], float]) -> None:
        self._camera = camera
        self._clock = clock
        self._frames = camera.frames()
        self._units: list[tuple[AccessUnit, float]] = []
        self._begun = self._started = False
        self._offset: int | None = None
        "what is added to a picture's time to have that of the file"
        self.position = 0
        """Time of the next sample in the file, in ticks of the picture's clock."""
        self.sets: ParameterSets | None = None
        """The stream's parameter sets; None until the camera has sent a keyframe."""
        self._task = asyncio.get_running_loop().create_task(self._follow(), name="pictures of a recording")

    def begin(self) -> None:
        """Take what the camera sees from now on, with the next keyframe."""
        self._begun = True
        self._camera.request_keyframe()

    def take(self, sound_began_at: float) -> list[Sample]:
        """Return the pictures whose end is known."""
        samples = []
        while len(self._units) > 1:
            unit, arrived_at = self._units.pop(0)
            if self._offset is None:  # the first is seen from the beginning of the sound on
                self._offset = round(max(0.0, arrived_at - sound_began_at) * VIDEO_CLOCK_HZ) - unit.pts
            samples.append(self._sample(unit, self._units[0][0].pts + self._offset))
        return samples

    def last(self, end: int) -> list[Sample]:
        """Return the last picture, which lasts until `end`."""
        return [self._sample(unit, end) for unit, _ in self._units[:1]]

    async def close(self) -> None:
        """Let the camera go."""
        self._frames.close()
        await asyncio.wait([self._task])

    async def _follow(self) -> None:
        async for unit in self._frames:
            if self._camera.is_forbidden or len(self._units) >= LONGEST_UNREAD:
                break
            if unit.keyframe:
                sets = parameter_sets(unit.data)
                if sets is None or (self._begun and self.sets is not None and sets != self.sets):
                    break
                self.sets = sets
            self._started = self._started or (self._begun and unit.keyframe)
            if self._started:
                self._units.append((unit, self._clock()))
        self._frames.close()

    def _sample(self, unit: AccessUnit, end: int) -> Sample:
        duration = max(1, end - self.position)
        self.position += duration
        return Sample(in_file(unit.data), duration, unit.keyframe)
