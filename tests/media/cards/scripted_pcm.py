"""A PCM that answers as a test tells it to."""

from __future__ import annotations

from typing import Any

import alsaaudio

from intercom.media.cards.pcm_line import CaptureLine


class ScriptedPcm:
    """A PCM at the edge of physics: it answers as it is told to."""

    def __init__(self, buffer_size: int = 4800) -> None:
        self.answers: list[int | Exception] = []
        self.always: int | Exception = 0
        self.queued = 0
        self.asked = 0
        self.buffer_size = buffer_size
        self.avail_answer: int | None = None
        self.state_answer: int = alsaaudio.PCM_STATE_RUNNING

    def _answer(self) -> int:
        answer = self.answers.pop(0) if self.answers else self.always
        if isinstance(answer, Exception):
            raise answer
        return answer

    def read(self) -> tuple[int, bytes]:
        frames = self._answer()
        return frames, bytes(2 * max(0, frames))

    def write(self, data: bytes, /) -> int:
        frames = self._answer()
        if not data:
            return 0
        self.queued += max(0, frames)
        return frames

    def avail(self) -> int:
        self.asked += 1
        return self.buffer_size - self.queued if self.avail_answer is None else self.avail_answer

    def state(self) -> int:
        return self.state_answer

    def info(self) -> dict[str, Any]:
        return {"buffer_size": self.buffer_size}

    def drop(self) -> int:
        return 0

    def close(self) -> None:
        return


def listening(pcm: ScriptedPcm) -> CaptureLine:
    line = CaptureLine(pcm)
    line.start(0.0)
    return line
