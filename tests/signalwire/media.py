"""Media without a wire: session descriptions are words, and the test says how the connection is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from intercom.signalwire.errors import MediaAccessError
from intercom.signalwire.observable import Happenings, Value

OFFER, RESTART_OFFER, ANSWER = (f"v=0\r\ns={word}\r\n" for word in ("offer", "restart", "answer"))


class ScriptedCall:
    """One call's media."""

    def __init__(self, call_id: str, *, audio: bool, video: bool, fails: set[str]) -> None:
        self.call_id, self.audio, self.video = call_id, audio, video
        self.received = (False, False)
        self.answered_with: list[str] = []
        self.offered: list[str] = []
        self.closed = 0
        self.restarts = 0
        self.keyframes = 0
        self.sound_expected = True
        self.switched: list[tuple[str, str, bool]] = []
        self.counters: dict[str, Any] = {}
        self.sent_keys: dict[str, float] = {}
        self.tones: Happenings[tuple[str, float | None]] = Happenings()
        self.tones_stream = self.tones.stream
        self.gains: list[float] = []
        self._fails = fails
        self._state = Value("new")
        self.state_stream = self._state.stream

    async def create_offer(self) -> str:
        self._may_fail("create_offer")
        return OFFER

    async def create_restart_offer(self) -> str:
        self._may_fail("create_restart_offer")
        self.restarts += 1
        return RESTART_OFFER

    async def create_restart_answer(self, offer: str) -> str:
        self._may_fail("create_restart_answer")
        self.restarts += 1
        return ANSWER

    async def create_answer(self, offer: str) -> str:
        self._may_fail("create_answer")
        self.offered.append(offer)
        return ANSWER

    async def accept_answer(self, answer: str) -> None:
        self._may_fail("accept_answer")
        self.answered_with.append(answer)

    async def close(self) -> None:
        self.closed += 1
        self._may_fail("close")

    async def call_counters(self) -> Mapping[str, Any]:
        return self.counters if self.sound_expected else {**self.counters, "silent_s": 0.0}

    def request_keyframe(self) -> None:
        self.keyframes += 1

    def set_sending(self, kind: str, on: bool) -> None:
        self.switched.append(("send", kind, on))

    def set_receiving(self, kind: str, on: bool) -> None:
        self.switched.append(("receive", kind, on))

    def set_far_gain(self, gain: float) -> None:
        self.gains.append(gain)

    def expect_sound(self, expected: bool) -> None:
        self.sound_expected = expected

    def sent_key_s(self, key: str) -> float | None:
        return self.sent_keys.get(key)

    def become(self, state: str) -> None:
        self._state.set(state)

    def _may_fail(self, step: str) -> None:
        if step in self._fails:
            raise RuntimeError(f"{step} broke")


class ScriptedMedia:
    """A media provider that remembers what it opened."""

    carries_out = True

    def __init__(self, *fails: str) -> None:
        self.calls: list[ScriptedCall] = []
        self.ice_servers: list[Mapping[str, Any]] = []
        self._fails = set(fails)

    def open(
        self,
        call_id: str,
        ice_servers: Sequence[Mapping[str, Any]],
        *,
        audio: bool,
        video: bool,
        receive_audio: bool,
        receive_video: bool,
    ) -> ScriptedCall:
        self.ice_servers = list(ice_servers)
        if (audio or video) and "devices" in self._fails:
            raise MediaAccessError("The microphone is unplugged.")
        self.calls.append(ScriptedCall(call_id, audio=audio, video=video, fails=self._fails))
        self.calls[-1].received = (receive_audio, receive_video)
        return self.calls[-1]
