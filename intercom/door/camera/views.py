"""Show the house who rings before anybody answers: the still of the press at once, then the live picture.

A view touches neither the machine, nor the call and its log, nor any light but the camera's, and nothing that comes
from a viewer opens anything. The space says who asks (`space/switch/views.py`); whether they may see, the door decides:
while its own call rings at them, or at any time where `camera.look` says so. A page's view carries no sound. A viewer
with a token, such as a recorder, looks for as long as it likes, and hears and speaks where `call.viewers_talk` says so.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from intercom.address import LONGEST, Address
from intercom.config import Config
from intercom.door.calls.active_call import NAME_CHARS
from intercom.door.camera.press_snapshot import FRESH_S, PressPictures
from intercom.facts import Answered, CallBegan, Ended, Fact, LookedAt, Pressed, RangAgain
from intercom.history.journal import Entry
from intercom.media.camera.shared import Camera
from intercom.media.camera.snapshot import smaller
from intercom.media.errors import ViewRefusedError
from intercom.media.sound.beside import BesideCall
from intercom.media.viewers.viewers import Viewers
from intercom.plain_text import plain
from intercom.signalwire import SignalWire, SignalWireError
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

HANDOVER_S = 20.0
"""Longest time for which views outlast the answer: whoever answers sees on until the call's own picture is there, and
then ends the view; a page gives its call 15 s to connect. The space ends the others' at once."""
BEGINS_S = 1.0
"""Longest wait for a call of which a viewer knows before the door does: the invite's answer is on its way."""
STILL_BYTES = 48 * 1024
"""Size limit of the still that goes to the pages."""
STANDING_LIMIT = 4
"""Limit of viewers with a token: as many places again are left to the pages, whoever records."""
RINGS, LOOKS, STANDS = "ring", "look", "token"
"""Why somebody may see: the door rings or rang at them, `camera.look` lets the house look, or they have a token."""
REFUSALS = ("absent", "codec", "full", "no-look", "not-ringing", "off", "offer", "over")
"""Reasons for which somebody does not see."""
GONE, STILL = "intercom.view.end", "intercom.still"


class Viewed(msgspec.Struct):
    """Who asks for a view, as the space vouches."""

    number: str = ""
    name: str = ""


class Asked(msgspec.Struct):
    """Somebody asks to see."""

    view: str
    sdp: str
    """Their offer; empty: they ask only whether they may look."""
    by: Viewed
    call_id: str = msgspec.field(name="callID", default="")
    """The door's call that rings at them; empty: they look at a door that does not ring them."""
    standing: bool = False
    """Whether they have a token and look for as long as they like."""
    talk: bool = False
    """Whether the space lets them hear and speak."""


class Found(msgspec.Struct):
    """Candidates that a viewer found after its offer."""

    view: str
    candidates: Annotated[list[str], msgspec.Meta(max_length=32)]


class Known(msgspec.Struct):
    """All views of this door of which the space knows."""

    views: list[str]


class Views:
    """The views of the door's camera, on the event loop. Subscribe `hear` to the journal, `take` to the service."""

    def __init__(
        self,
        config: Config,
        *,
        camera: Camera | None,
        beside: BesideCall,
        pictures: PressPictures,
        client: SignalWire,
        tell: Callable[[Fact], object],
        on_defect: Callable[[Exception], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._may_look = config.camera.look
        self._may_talk = config.call.viewers_talk
        self._longest_s = config.call.time_limit_s
        self._in_space = config.account.credential == "space"
        self._camera = camera if config.call.video else None
        self._pictures = pictures
        self._client = client
        self._tell = tell
        self._clock = clock
        self._tasks = TaskSet(on_defect)
        self._viewers = Viewers(self._camera, beside=beside, on_over=self._over, on_defect=on_defect)
        self._calls: dict[str, str] = {}
        "call of each view; empty for a look"
        self._standing: set[str] = set()
        "views of those with a token"
        self.refused = Counter(dict.fromkeys(REFUSALS, 0))
        """Views that were refused, by the reason."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        "end of each look, and of each view of an answered call"
        self._pressed_s = float("-inf")
        self._ringing = ""
        "id of the door's call that rings"
        self._begins = asyncio.Event()
        "set, and replaced, when a call begins to ring"

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def is_on(self) -> bool:
        """Whether anybody can see at all without a call: the embedded space brings them, and there is a camera."""
        return self._in_space and self._camera is not None

    @property
    def by_kind(self) -> dict[str, int]:
        """Return how many see, by why they may."""
        kinds = Counter(
            STANDS if view in self._standing else RINGS if call else LOOKS for view, call in self._calls.items()
        )
        return {kind: kinds[kind] for kind in (RINGS, LOOKS, STANDS)}

    # -- what the journal tells ------------------------------------------------------------------------

    def hear(self, entry: Entry) -> None:
        """Take a fact of the door."""
        match entry.fact:
            case Pressed():
                self._pressed_s = entry.moment
            case CallBegan(call) if call.direction == "outbound":
                self._rings(call.id)
            case RangAgain(before, call):
                self._end_all(before)
                self._rings(call.id)
            case Answered(call) if call.id == self._ringing:
                self._ringing = ""
                for view in self._of(call.id):
                    self._end_later(view, HANDOVER_S)
            case Ended(call):
                self._ringing = "" if call.id == self._ringing else self._ringing
                self._end_all(call.id)
            case _:
                pass

    def _rings(self, call_id: str) -> None:
        self._ringing = call_id
        self._begins.set()
        self._begins = asyncio.Event()
        if self._in_space and self._camera is not None:
            self._tasks.spawn(self._show_still(call_id))

    async def _show_still(self, call_id: str) -> None:
        """Show the pages that ring the picture of this press."""
        picture = await self._pictures.last()
        if picture is None or picture.taken < self._pressed_s - FRESH_S or self._camera is None:
            return
        jpeg = picture.jpeg
        if len(jpeg) > STILL_BYTES:
            jpeg = await asyncio.to_thread(smaller, jpeg, STILL_BYTES)
        if self._ringing != call_id or self._camera.is_forbidden or not jpeg:
            return
        age_ms = round((self._clock() - picture.taken) * 1000)
        await self._say(STILL, {"callID": call_id, "jpeg": base64.b64encode(jpeg).decode(), "age_ms": age_ms})

    # -- what the space tells --------------------------------------------------------------------------

    def take(self, event_type: str, params: Mapping[str, Any]) -> None:
        """Take an event of the service; only those about views count, and only a space's."""
        if not self._in_space:
            return
        try:
            match event_type:
                case "intercom.view":
                    self._tasks.spawn(self._answer(msgspec.convert(params, Asked)))
                case "intercom.view.end":
                    self._end(str(params.get("view")))
                case "intercom.view.candidates":
                    found = msgspec.convert(params, Found)
                    for line in found.candidates:
                        self._viewers.add_candidate(found.view, line)
                case "intercom.views":
                    known = msgspec.convert(params, Known)
                    for view in self._standing.difference(known.views):
                        self._end(view)
                case _:
                    pass
        except msgspec.ValidationError as error:
            logger.info("Ignored an event about views that cannot be read: %s", error)

    async def _answer(self, asked: Asked) -> None:
        try:
            await self._must_be_allowed(asked.call_id)
            if not asked.sdp:
                await self._refuse(asked, "may")
                return
            self._calls[asked.view] = asked.call_id
            if asked.standing:
                self._stand(asked.view)
            ice_servers, sound = self._client.session.ice_servers, asked.talk and self._may_talk
            sdp = await self._viewers.admit(asked.view, asked.sdp, ice_servers, sound=sound)
        except ViewRefusedError as refusal:
            self._forget(asked.view)
            self.refused[refusal.reason] += bool(asked.sdp)
            level = logging.INFO if asked.sdp else logging.DEBUG
            logger.log(level, "%s does not see the door: %s", _who(asked.by), refusal)
            await self._refuse(asked, refusal.reason)
            return
        except BaseException:
            self._forget(asked.view)  # its place is another's
            raise
        self._note(asked)
        await self._say("intercom.view.answer", {"view": asked.view, "sdp": sdp})

    def _stand(self, view: str) -> None:
        if len(self._standing) >= STANDING_LIMIT:
            raise ViewRefusedError("full", f"{STANDING_LIMIT} others with a token see through the camera already.")
        self._standing.add(view)

    async def _refuse(self, asked: Asked, reason: str) -> None:
        await self._say("intercom.view.answer", {"view": asked.view, "refused": reason})

    async def _must_be_allowed(self, call_id: str) -> None:
        if not call_id:
            if not self._may_look:
                raise ViewRefusedError("no-look", "camera.look is off.")
            return
        try:
            async with asyncio.timeout(BEGINS_S):
                while self._ringing != call_id:
                    await self._begins.wait()
        except TimeoutError:
            raise ViewRefusedError("not-ringing", "The door does not ring there.") from None

    def _note(self, asked: Asked) -> None:
        if asked.call_id:
            logger.info("%s sees who rings (%d do)", _who(asked.by), len(self._viewers))
            if self._ringing != asked.call_id:  # it ended, or was answered, meanwhile
                self._end(asked.view)
            return
        how = ", hears and speaks" if asked.talk and self._may_talk else ""
        logger.info("%s looks through the camera%s", _who(asked.by), how)
        self._tell(LookedAt(_address(asked.by), plain(asked.by.name, NAME_CHARS)))
        if not asked.standing:
            self._end_later(asked.view, self._longest_s)

    # -- the end ---------------------------------------------------------------------------------------

    def _over(self, view: str, reason: str) -> None:
        """Tell the space of a view that ended by itself."""
        self._forget(view)
        self._tasks.spawn(self._say(GONE, {"view": view, "reason": reason}))

    def _of(self, call_id: str) -> list[str]:
        return [view for view, call in self._calls.items() if call == call_id]

    def _end_all(self, call_id: str) -> None:
        for view in self._of(call_id):
            self._end(view)

    def _end(self, view: str) -> None:
        self._forget(view)
        self._viewers.end(view)

    def _end_later(self, view: str, after_s: float) -> None:
        def end() -> None:
            self._viewers.end(view)
            self._over(view, "over")

        self._timers[view] = asyncio.get_running_loop().call_later(after_s, end)

    def _forget(self, view: str) -> None:
        self._calls.pop(view, None)
        self._standing.discard(view)
        timer = self._timers.pop(view, None)
        if timer is not None:
            timer.cancel()

    async def stop(self) -> None:
        """End every view."""
        for view in list(self._calls):
            self._forget(view)
        await self._tasks.stop()
        await self._viewers.stop()

    async def _say(self, method: str, params: Mapping[str, Any]) -> None:
        """Send the space what has no consequence when it is lost: the page asks again, or sees a picture later."""
        try:
            await self._client.session.execute(method, params)
        except SignalWireError as error:
            logger.debug("Not delivered: %s", error)


def _address(by: Viewed) -> str:
    return str(Address.parse(by.number[:LONGEST]))


def _who(by: Viewed) -> str:
    return plain(by.name, NAME_CHARS) or _address(by)
