"""One client's conversation (RFC 2326): judges each request, and says what is to be done. No I/O, no clock of its own.

`take` returns the bytes of a response, or an order. Whoever carries the order out tells how it went (`described`,
`set_up`, `played` ...) and gets the response. What RFC 7826 adds to 1.0 that clients use is the rule of the session's
time: whatever the client sends proves that it is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.digest import Digest
from intercom.integrations.rtsp.streams import Kind, Offered, located
from intercom.integrations.rtsp.transports import Tcp, Transport, chosen
from intercom.integrations.rtsp.wire import Request, WireError, response

TIMEOUT_S = 60
"""Time without a sign of life after which a session is over; the client is told."""
MOST_GUESSES = 4
"""Limit of wrong proofs on one connection, after which it is closed: a client with the right password needs one."""
BACKCHANNEL = "www.onvif.org/ver20/backchannel"
"""Feature tag of the way back (ONVIF Streaming Specification, 5.3)."""
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"


@dataclass(frozen=True, slots=True)
class Describe:
    """Describe a stream; answer with `described`."""

    request: Request
    offered: Offered
    """The stream, with the tracks that this client may have."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """Set up a track; answer with `set_up`."""

    request: Request
    offered: Offered
    track: Kind
    transport: Transport


@dataclass(frozen=True, slots=True)
class Play:
    """Send from now on, after the response has gone; answer with `played`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for now; the answer is in it."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class TearDown:
    """End the session; the answer is in it."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Hang:
    """Close the connection after this answer."""

    answer: bytes
    why: str
    """Reason for the log."""


Order = Describe | SetUp | Play | Pause | TearDown | Hang


class Conversation:
    """The state of one connection."""

    def __init__(
        self,
        account_of: Callable[[str], Account | None],
        offer: Callable[[str, Account], Offered | None],
        *,
        now_s: float,
    ) -> None:
        """`offer` returns the stream of a path as this account may have it, or None when there is none."""
        self._digest = Digest(account_of)
        self._offer = offer
        self._guesses = 0
        self._seen_s = now_s
        self._stream: str | None = None
        "the stream whose tracks are set up"
        self._wants_talk = False
        "the client knows of the way back"
        self.account: Account | None = None
        """Account that the client has proved to be."""
        self.session = ""
        """Id of the session; empty while nothing is set up."""
        self.transports: dict[Kind, Transport] = {}
        """Tracks that are set up."""
        self.plays = False
        """Whether the client has asked for the pictures."""

    def alive(self, now_s: float) -> None:
        """Note a sign of life: a packet, a report, or bytes that the client took."""
        self._seen_s = now_s

    def is_over(self, now_s: float) -> bool:
        """Return whether the client has given no sign of life for too long."""
        return now_s - self._seen_s >= TIMEOUT_S

    def refused(self, error: WireError) -> Hang:
        """Return the end of a conversation that is none."""
        return Hang(response(error.status), str(error))

    def take(self, request: Request, now_s: float) -> bytes | Order:
        """Return the response to a request, or the order that it leads to."""
        self._seen_s = now_s
        if not request.sequence:
            return self._says(request, 400)
        if request.method == "OPTIONS":
            return self._says(request, 200, {"Public": METHODS})
        refusal = self._refusal(request)
        return self._carry_out(request) if refusal is None else refusal

    def _refusal(self, request: Request) -> bytes | Order | None:
        """Return the answer to a request that is not carried out, or None."""
        if request.method not in METHODS.split(", "):
            return self._says(request, 405, {"Allow": METHODS})
        if self.account is None and (refusal := self._proof(request)) is not None:
            return refusal
        if (unknown := self._unknown_feature(request)) is not None:
            return self._says(request, 551, {"Unsupported": unknown})
        said = request.headers.get("session", "").partition(";")[0].strip()
        if said and said != self.session:
            return self._says(request, 454)
        if request.method in ("PLAY", "PAUSE", "TEARDOWN") and not self.session:
            return self._says(request, 455)
        return None

    # Who asks

    def _proof(self, request: Request) -> bytes | Order | None:
        """Return the refusal of a client that proves no account, or None; the connection is admitted once for all."""
        said = request.headers.get("authorization", "")
        self.account = self._digest.account(said, request.method)
        if self.account is not None:
            return None
        self._guesses += bool(said)
        refusal = self._says(request, 401, {"WWW-Authenticate": self._digest.challenge})
        return Hang(refusal, "wrong passwords") if self._guesses >= MOST_GUESSES else refusal

    def _unknown_feature(self, request: Request) -> str | None:
        """Return what the client requires and does not get, or None."""
        required = request.headers.get("require", "")
        for feature in filter(None, (each.strip() for each in required.split(","))):
            if feature != BACKCHANNEL or not (self.account and self.account.talk):
                return feature if feature.isprintable() and len(feature) <= 200 else ""
            self._wants_talk = True
        return None

    # What is asked

    def _carry_out(self, request: Request) -> bytes | Order:
        said = self._says(request, 200, self._session_header)
        match request.method:
            case "DESCRIBE":
                return self._describe(request)
            case "SETUP":
                return self._set_up(request)
            case "PLAY":
                return Play(request)
            case "PAUSE":
                self.plays = False
                return Pause(said)
            case "TEARDOWN":
                return TearDown(said)
            case _:  # GET_PARAMETER and SET_PARAMETER: a sign of life
                return said

    def _offered(self, request: Request) -> tuple[Offered, str] | None:
        place = located(request.url)
        assert self.account is not None, "the client is known by now"
        offered = self._offer(place[0], self.account) if place is not None else None
        if place is None or offered is None:
            return None
        if not self._wants_talk and "talk" in offered.tracks:
            offered = Offered(offered.path, tuple(track for track in offered.tracks if track != "talk"))
        return offered, place[1]

    def _describe(self, request: Request) -> bytes | Order:
        accepted = request.headers.get("accept", "application/sdp")
        if "application/sdp" not in accepted and "*/*" not in accepted:
            return self._says(request, 406)
        found = self._offered(request)
        return self._says(request, 404) if found is None else Describe(request, found[0])

    def _set_up(self, request: Request) -> bytes | Order:
        found = self._offered(request)
        if found is None:
            return self._says(request, 404)
        offered, name = found
        track = next((track for track in offered.tracks if track == name), None)
        if track is None and name == "" and len(offered.tracks) == 1:
            track = offered.tracks[0]
        if track is None:
            return self._says(request, 404 if name else 459)
        if self.plays or track in self.transports or self._stream not in (None, offered.path):
            return self._says(request, 455)
        used = {
            channel for each in self.transports.values() if isinstance(each, Tcp) for channel in (each.rtp, each.rtcp)
        }
        transport = chosen(request.headers.get("transport", ""), used)
        if transport is None:
            return self._says(request, 461)
        return SetUp(request, offered, track, transport)

    # How it went

    def described(self, order: Describe, description: str | None) -> bytes:
        """Return the response with the description; None: there is nothing to show now."""
        if description is None:
            return self._says(order.request, 503)
        base = order.request.url.rstrip("/") + "/"
        headers = {"Content-Base": base, "Content-Type": "application/sdp", "Cache-Control": "no-store"}
        return self._says(order.request, 200, headers, description)

    def set_up(self, order: SetUp, told: str) -> bytes:
        """Return the response to a SETUP that was carried out; `told` is its Transport header."""
        self.session = self.session or secrets.token_hex(8)
        self._stream = order.offered.path
        self.transports[order.track] = order.transport
        return self._says(order.request, 200, {**self._session_header, "Transport": told})

    def full(self, order: SetUp) -> bytes:
        """Return the response to a SETUP for which there is no room."""
        return self._says(order.request, 453)

    def played(self, order: Play, sequences: Mapping[Kind, int]) -> bytes:
        """Return the response to a PLAY; `sequences` are the first numbers of each track that sends.

        It names no timestamps: the first picture is not taken yet, and the reports (RTCP) tell them.
        """
        self.plays = True
        base = order.request.url.rstrip("/")
        for track in sequences:
            base = base.removesuffix(f"/{track}")
        info = ",".join(f"url={base}/{track};seq={sequence}" for track, sequence in sequences.items())
        headers = {**self._session_header, "Range": "npt=now-"}
        return self._says(order.request, 200, headers | ({"RTP-Info": info} if info else {}))

    def ended(self) -> None:
        """Forget the session."""
        self.session, self._stream, self.plays = "", None, False
        self.transports.clear()

    @property
    def _session_header(self) -> dict[str, str]:
        return {"Session": f"{self.session};timeout={TIMEOUT_S}"} if self.session else {}

    @staticmethod
    def _says(request: Request, status: int, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
        return response(status, request.sequence, headers, body)
