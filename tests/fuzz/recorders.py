"""What recorders and players send by RTSP: requests, and packets between them."""

from __future__ import annotations

import re

from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.conversation import Conversation, Describe, Hang, Order, Play, SetUp, TearDown
from intercom.integrations.rtsp.digest import answer
from intercom.integrations.rtsp.rtp import is_report, received
from intercom.integrations.rtsp.streams import STREAMS, Kind, Offered, description
from intercom.integrations.rtsp.talk import Loudspeaker, Talker
from intercom.integrations.rtsp.transports import Tcp
from intercom.integrations.rtsp.wire import Interleaved, Reader, Request, WireError, interleaved
from intercom.media.sound.beside import BesideCall
from tests.fuzz.wire import Read

URL = "rtsp://192.0.2.1:8554/door-pcma"
HALL = Account("hall", "secret", talk=True)
TRACKS: tuple[Kind, ...] = ("video", "audio", "talk")
_LINE = re.compile(rb"[A-Za-z-]+: [^\r\n]*")


def _asks(method: str, url: str = URL, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {url} RTSP/1.0", "CSeq: 7", *headers, "", ""]).encode()


_VOICE = b"\x80\x08\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x05" + bytes(160)
SEEDS = (
    _asks("OPTIONS", "*"),
    _asks("DESCRIBE", URL, "Accept: application/sdp", "Require: www.onvif.org/ver20/backchannel"),
    _asks("SETUP", f"{URL}/video", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    + _asks("SETUP", f"{URL}/talk", 'Transport: RTP/AVP;unicast;client_port=5000-5001;mode="play", RTP/AVP/TCP')
    + _asks("PLAY", URL, "Range: npt=0.000-")
    + interleaved(2, _VOICE)
    + interleaved(1, bytes.fromhex("80c900010000000181ca000200000001010161"))
    + _asks("PAUSE")
    + _asks("TEARDOWN"),
    _asks("SETUP", f"{URL}/audio", "Transport: RTP/AVP/UDP;multicast;ttl=1, RTP/AVP;unicast;client_port=1-2"),
    _asks("GET_PARAMETER", URL, "Content-Length: 5", "Session: 12345678;timeout=60") + b"hello",
    _asks("DESCRIBE", URL, 'Authorization: Digest username="hall", realm="intercom", nonce="x", response="y"'),
)


def _offer(path: str, _account: Account) -> Offered | None:
    return Offered(path, TRACKS if STREAMS[path] else TRACKS[:1]) if path in STREAMS else None


class _Client:
    """A client's conversation, and what it talks; time passes with its requests."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.reader = Reader()
        self._talk = Conversation(lambda name: HALL if name == HALL.name else None, _offer, now_s=0.0)
        self._talker = Talker(Loudspeaker(BesideCall(lambda: None)), "pcma", 8, "hall", clock=lambda: self.now_s)

    def admitted(self) -> _Client:
        """Prove the account."""
        challenge = self._talk.take(Request("DESCRIBE", URL, {"cseq": "1"}), 0.0)
        assert isinstance(challenge, bytes)
        nonce = challenge.split(b'nonce="')[1].partition(b'"')[0].decode()
        proof = answer(HALL, "DESCRIBE", {"uri": URL}, nonce)
        said = f'username="hall", nonce="{nonce}", uri="{URL}", response="{proof}"'
        self._talk.take(Request("DESCRIBE", URL, {"cseq": "2", "authorization": f"Digest {said}"}), 0.0)
        assert self._talk.account == HALL
        return self

    def take(self, item: Request | Interleaved) -> bool:
        """Answer a request, or play a packet; return False where the connection ends."""
        self.now_s += 0.02
        if isinstance(item, Interleaved):
            is_report(item.packet)
            if (sound := received(item.packet)) is not None:
                self._talker.take(sound)
                assert len(self._talker.playout.pull(self.now_s)) == 480
            return True
        order = self._talk.take(item, self.now_s)
        self._check(order if isinstance(order, bytes) else self._carried_out(order))
        return not isinstance(order, Hang)

    def _carried_out(self, order: Order) -> bytes:
        match order:
            case Describe():
                told = description(order.offered, address="192.0.2.1", sets=None, bitrate_bps=400_000, number=1)
                return self._talk.described(order, told)
            case SetUp():
                transport = order.transport
                return self._talk.set_up(
                    order, transport.told(1) if isinstance(transport, Tcp) else transport.told(1, (2, 3))
                )
            case Play():
                return self._talk.played(order, dict.fromkeys(self._talk.transports, 1))
            case TearDown():
                self._talk.ended()
        return order.answer

    @staticmethod
    def _check(said: bytes) -> None:
        first, *lines = said.partition(b"\r\n\r\n")[0].split(b"\r\n")
        assert re.fullmatch(rb"RTSP/1\.0 [0-9]{3} [A-Za-z ]+", first)
        assert all(map(_LINE.fullmatch, lines)), "a request's text made a line of the answer"


def rtsp() -> Read:
    """The conversations of a stranger and of an account that may talk."""
    clients = [_Client(), _Client().admitted()]

    def read(data: bytes) -> None:
        for number, client in enumerate(clients):
            try:
                goes_on = all(client.take(item) for item in client.reader.feed(data))
            except WireError:
                goes_on = False
            if not goes_on:
                clients[number] = _Client().admitted() if number else _Client()

    return read
