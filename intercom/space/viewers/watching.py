"""Brings viewers with a token to the doors' cameras, and ends their views: descriptions pass here, no media."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import ViewRefusedError
from intercom.space.switch.sessions.pace import Pace
from intercom.space.switch.views import Views
from intercom.space.viewers.tokens import Viewer, ViewerTokens

logger = logging.getLogger(__name__)

WATCHES_PER_VIEWER_LIMIT: Final = 2
"""Limit of views with one token: a recorder that restarts leaves its last one behind for half a minute."""
OFFERS_PER_S: Final = 0.5
"""Limit of the offers of one token, on average: for each the door ends an old view and prepares a connection."""
OFFERS_AT_ONCE: Final = 6
"""Limit of the offers of one token at once: a dashboard that is loaded again and again."""
CANDIDATES_LIMIT: Final = 24
"""Limit of the candidates that a viewer names after its offer."""
CANDIDATE_LIMIT_CHARS: Final = 256
"""Length limit of a candidate; the longest has half of it."""


class Watch:
    """One view of a viewer with a token, from its request on."""

    def __init__(self, viewer: Viewer, token_hash: str, tell_door: Callable[[str, list[str]], None]) -> None:
        self.viewer = viewer
        self.token_hash = token_hash
        self.view = ""
        "The view's id, by which only the viewer itself knows it."
        self.over = asyncio.Event()
        "Set when the view is over."
        self._tell_door = tell_door
        self._decided = asyncio.Event()
        self._answer = self._reason = ""
        self._found: list[str] = []
        self._told = 0

    @property
    def is_answered(self) -> bool:
        """Whether the door has answered."""
        return self._decided.is_set()

    async def answer(self) -> str:
        """Wait for the door's answer and return it; raises `ViewRefusedError` when the door lets nobody look."""
        await self._decided.wait()
        if not self._answer:
            raise ViewRefusedError(self._reason)
        return self._answer

    def sees(self, view: str, sdp: str) -> None:
        """Take the door's answer, and tell the door what was found before it came."""
        del view
        self._answer = sdp
        self._decided.set()
        self._pass_on()

    def refused(self, reason: str) -> None:
        """Hear in a word why there is no view."""
        self._reason = self._reason or reason
        self._decided.set()
        self.over.set()

    def ended(self, view: str, reason: str) -> None:
        """Hear in a word why the view is over."""
        del view
        logger.info("The view of %s is over: %s.", self.viewer.name, reason)
        self.over.set()

    def found(self, candidates: list[str]) -> None:
        """Take candidates (RFC 8838): they go to the door once that has answered."""
        self._found += [line for line in candidates if 0 < len(line) <= CANDIDATE_LIMIT_CHARS]
        del self._found[CANDIDATES_LIMIT:]
        if self.is_answered and not self.over.is_set():
            self._pass_on()

    def _pass_on(self) -> None:
        news, self._told = self._found[self._told :], len(self._found)
        if news:
            self._tell_door(self.view, news)


class Watching:
    """All views of viewers with a token.

    :param views: the views of all doors.
    :param deliver: sends what the exchange has to send.
    :param now: monotonic seconds.
    """

    def __init__(
        self, tokens: ViewerTokens, views: Views, *, deliver: Callable[[], None], now: Callable[[], float]
    ) -> None:
        self._tokens = tokens
        self._views = views
        self._deliver = deliver
        self._now = now
        self._watches: list[Watch] = []
        self._paces: dict[str, Pace] = {}
        "how fast each token asks, by its hash"

    def __len__(self) -> int:
        return len(self._present())

    def owner_of(self, token: str) -> Viewer | None:
        """Return the viewer with this token; None when nobody has it."""
        return self._tokens.owner_of(token)

    def begin(self, token: str, door: str, offer: str) -> Watch | None:
        """Ask a door, by its name, for a view, and return it: `answer` has the door's answer when that has come.

        None when nobody has this token: it was shown before, and may have been taken back while the offer was awaited.
        A viewer that has too many views ends its oldest; one that asks too often is refused.
        """
        viewer = self._tokens.owner_of(token)
        if viewer is None:
            return None
        watch, now = Watch(viewer, secret_hash(token), self._found), self._now()
        if not self._paces.setdefault(watch.token_hash, Pace(OFFERS_PER_S, OFFERS_AT_ONCE, now)).take(now):
            watch.refused("often")
            return watch
        mine = [earlier for earlier in self._present() if earlier.viewer.name == viewer.name]
        for earlier in mine[: len(mine) + 1 - WATCHES_PER_VIEWER_LIMIT]:
            self.end(earlier)
        address = f"/private/{door}"
        watch.view = self._views.look(watch, address, offer, name=viewer.name, talks=viewer.talks, now=now)
        if not watch.view:
            watch.refused("absent")
            return watch
        self._watches.append(watch)
        self._deliver()
        self._tokens.seen(viewer)
        return watch

    def watch(self, viewer: Viewer, view: str) -> Watch | None:
        """Return a viewer's own view by its id; None when it is over, or somebody else's."""
        return next((w for w in self._present() if w.view == view and w.viewer.name == viewer.name), None)

    def end(self, watch: Watch) -> None:
        """End a view; harmless when it is over."""
        if watch in self._watches:
            self._watches.remove(watch)
        self._views.leave(watch.view)
        watch.refused("over")
        self._deliver()

    def end_removed(self) -> None:
        """End the views whose token counts no more."""
        known = self._tokens.hashes()
        self._paces = {token_hash: pace for token_hash, pace in self._paces.items() if token_hash in known}
        for watch in [watch for watch in self._present() if watch.token_hash not in known]:
            logger.info("The viewer %s was removed; its view ends.", watch.viewer.name)
            self.end(watch)

    def stop(self) -> None:
        """Let go of every view: the space stops, and a door that registers again ends what was begun before."""
        for watch in self._present():
            watch.refused("over")

    def _found(self, view: str, candidates: list[str]) -> None:
        self._views.found(view, candidates)
        self._deliver()

    def _present(self) -> list[Watch]:
        self._watches = [watch for watch in self._watches if not watch.over.is_set()]
        return self._watches
