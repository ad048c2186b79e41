"""All viewers of one camera: admits them up to a limit, one after another, and ends them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from intercom.media.errors import ViewRefusedError
from intercom.tasks import TaskSet

if TYPE_CHECKING:
    from intercom.media.camera.shared import Camera
    from intercom.media.sound.beside import BesideCall
    from intercom.media.viewers.viewer import Viewer

log = logging.getLogger(__name__)

MOST_VIEWERS = 8
"""Limit of viewers at once: a house has a handful of pages, and each costs a hundredth of a core and an uplink."""

REFUSALS = {
    "absent": "This door has no camera, or it is not to send its picture.",
    "off": "The camera is switched off for privacy.",
    "full": f"{MOST_VIEWERS} others see through the camera already.",
}
"""Reasons of a refusal, each with its sentence; `offer` and `codec` bring their own."""


class Viewers:
    """The viewers of one camera, each under the id that whoever asked for it gave. Belongs to the event loop."""

    def __init__(
        self,
        camera: Camera | None,
        *,
        beside: BesideCall | None = None,
        on_over: Callable[[str, str], object] = lambda view, why: None,
        on_defect: Callable[[Exception], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_over` hears of each viewer that ended by itself, and why: "left", or "off" for a forbidden camera.

        `beside` is where those hear and speak who may.
        """
        self._camera = camera
        self._beside = beside
        self._on_over = on_over
        self._clock = clock
        self._viewers: dict[str, Viewer | None] = {}
        "None: it is being made"
        self._making = asyncio.Lock()
        self._tasks = TaskSet(on_defect)

    def __len__(self) -> int:
        return len(self._viewers)

    def __contains__(self, view: str) -> bool:
        """Return whether there is such a viewer."""
        return view in self._viewers

    @property
    def pictures_sent(self) -> int:
        """Pictures sent to the present viewers, all together."""
        return sum(viewer.pictures for viewer in self._viewers.values() if viewer is not None)

    async def admit(
        self, view: str, offer: str, ice_servers: Sequence[Mapping[str, Any]], *, sound: bool = False
    ) -> str:
        """Return the answer to the offer of somebody who wants to watch; raises ViewRefusedError with the reason.

        `sound`: they may hear and speak as well, as far as they offer it. Viewers are made one after another: a house
        whose ten pages ring at once does not hold up the ring.
        """
        camera = self._may_watch(view)
        self._viewers[view] = None
        try:
            async with self._making:
                return await self._make(view, partial(self._open, camera, view, offer, ice_servers, sound=sound))
        except BaseException:
            self.end(view)
            raise

    async def _make(self, view: str, open_viewer: Callable[[], Viewer]) -> str:
        if view not in self._viewers:
            raise ViewRefusedError("over", "The view was ended before it began.")
        viewer = self._viewers[view] = open_viewer()
        answer = await viewer.answer()
        if self._viewers.get(view) is not viewer:
            raise ViewRefusedError("over", "The view was ended while it began.")
        return answer

    def add_candidate(self, view: str, line: str) -> None:
        """Take a candidate that a viewer found after its offer; one of a view that is over is ignored."""
        viewer = self._viewers.get(view)
        if viewer is not None:
            self._tasks.spawn(viewer.add_candidate(line))

    def end(self, view: str) -> bool:
        """End a viewer now; return whether there was one."""
        if view not in self._viewers:
            return False
        viewer = self._viewers.pop(view)
        if viewer is not None:
            self._tasks.spawn(viewer.close())
        return True

    async def stop(self) -> None:
        """End every viewer."""
        for view in list(self._viewers):
            self.end(view)
        await self._tasks.finish()

    def _may_watch(self, view: str) -> Camera:
        if self._camera is None:
            raise _refused("absent")
        if self._camera.is_forbidden:
            raise _refused("off")
        if len(self._viewers) >= MOST_VIEWERS or view in self._viewers:
            raise _refused("full")
        return self._camera

    def _open(
        self, camera: Camera, view: str, offer: str, ice_servers: Sequence[Mapping[str, Any]], *, sound: bool
    ) -> Viewer:
        from intercom.aiortc_hooks import outlast_any_far_end  # it loads aiortc: with the first call, or viewer
        from intercom.media.rtp.steady_clock import measure_steadily
        from intercom.media.viewers.viewer import Viewer

        outlast_any_far_end()
        measure_steadily()

        def over(ended: Viewer, why: str) -> None:
            if self._viewers.get(view) is ended and self.end(view):
                self._on_over(view, why)

        return Viewer(
            offer,
            ice_servers,
            h264=camera,
            vp8=camera.vp8,
            beside=self._beside if sound else None,
            is_forbidden=lambda: camera.is_forbidden,
            on_over=over,
            clock=self._clock,
        )


def _refused(reason: str) -> ViewRefusedError:
    return ViewRefusedError(reason, REFUSALS[reason])
