"""Opens the media of calls; `prepare` loads aiortc and everything on it, else the first call does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from intercom.later import import_without
from intercom.media.camera.events import VideoEvent
from intercom.media.events import CallEvent

if TYPE_CHECKING:
    from intercom.media.camera.shared import Camera
    from intercom.media.rtp.call_stats import CallStats
    from intercom.media.rtp.peer import DoorCall
    from intercom.media.sound.engine import AudioEngine

FOR_MORE_PLACES = tuple(
    f"opuslib_next.api.{kind}_{way}" for kind in ("multistream", "projection") for way in ("decoder", "encoder")
)
"""What Opus' library imports for sound from more than one place."""


class Sending(NamedTuple):
    """How the sound of calls is sent."""

    dtx: bool = False
    """Whether nothing is sent while it is quiet here."""
    redundancy: bool = True
    """Whether each packet holds the last ones as well, both ways, where the far end agrees to that."""


USUAL = Sending()
"""How it is sent where nobody says otherwise."""


class DoorMedia:
    """Opens the media of calls: the engine's sound, and a camera's picture where there is one."""

    carries_out = True
    """Each call can be muted, and its far end played louder or softer."""

    def __init__(
        self,
        engine: AudioEngine,
        camera_factory: Callable[[], Camera | None] | None = None,
        *,
        on_event: Callable[[CallEvent | VideoEvent], None],
        sending: Sending = USUAL,
        hears_tones: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_event` is called on the event loop; `camera_factory` once for every call with video.

        `hears_tones`: keys are looked for in the far end's sound when it can send them in no other way.
        """
        self._engine = engine
        self._camera_factory = camera_factory
        self._on_event = on_event
        self._sending = sending
        self._hears_tones = hears_tones
        self._clock = clock
        self._calls: WeakValueDictionary[str, DoorCall] = WeakValueDictionary()

    def prepare(self) -> None:
        """Make tones and load a call's modules, so that none waits for them; from any thread, harmless when repeated.

        It takes half a second of a core, several on a small machine: more than all the rest of a door's start.
        """
        self._engine.prepare()
        import_without("opuslib_next", *FOR_MORE_PLACES)
        import_without("aiortc", "multiprocessing")  # by which aiortc's own encoder counts the processors
        from intercom.aiortc_hooks import outlast_any_far_end
        from intercom.media.rtp import peer  # noqa: F401  (it is loaded here, and used when a call is opened)
        from intercom.media.rtp.hooks import know_telephone_events
        from intercom.media.rtp.quick_start import start_quickly
        from intercom.media.rtp.steady_clock import measure_steadily
        from intercom.media.viewers import viewer  # noqa: F401  (idem, when somebody watches)

        know_telephone_events()
        outlast_any_far_end()
        start_quickly()
        measure_steadily()

    def open(
        self,
        call_id: str,
        ice_servers: Sequence[Mapping[str, Any]],
        *,
        audio: bool = True,
        video: bool = True,
        receive_audio: bool = True,
        receive_video: bool = False,
    ) -> DoorCall:
        """Open a call that is neither offered nor answered; `ice_servers` as in W3C's RTCIceServer, may be empty.

        A door always plays what the far end says and has no screen, whatever a call is to receive.
        """
        from intercom.aiortc_hooks import outlast_any_far_end
        from intercom.media.rtp.hooks import know_telephone_events
        from intercom.media.rtp.peer import DoorCall
        from intercom.media.rtp.quick_start import start_quickly
        from intercom.media.rtp.steady_clock import measure_steadily

        know_telephone_events()
        outlast_any_far_end()
        start_quickly()
        measure_steadily()
        camera = self._camera_factory() if video and self._camera_factory is not None else None
        call = DoorCall(
            call_id,
            ice_servers,
            self._engine,
            camera,
            audio=audio,
            sending=self._sending,
            hears_tones=self._hears_tones,
            on_event=self._on_event,
            clock=self._clock,
        )
        self._calls[call_id] = call
        return call

    def refusal(self, offer: str) -> str:
        """Return the reason why no call of ours can answer this offer, in a sentence; empty when one can."""
        # The package first: while another thread loads it, one of its modules alone would be loaded beside it, and half
        # of both be seen.
        import aiortc  # noqa: F401  (as above)

        from intercom.media.rtp.sdp_exchange import refusal

        return refusal(offer)

    def stats(self, call_id: str) -> CallStats | None:
        """Return the current or last figures of a call's media; None when nobody holds the call any more."""
        call = self._calls.get(call_id)
        return None if call is None else call.stats()
