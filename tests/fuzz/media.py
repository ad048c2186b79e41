"""What comes with a call: session descriptions, RTP, RTCP, STUN answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from aioice import stun as aioice_stun
from aiortc.rtp import RtcpPacket, RtpPacket

from intercom.aiortc_hooks import outlast_any_far_end
from intercom.media.dtmf.telephone_event import payloads
from intercom.media.errors import SessionDescriptionError
from intercom.media.rtp.far_end import FarEndSound
from intercom.media.rtp.sdp_exchange import accept_answer, accept_offer, is_same_path, refusal
from intercom.space.switch.calls.sdp import answer_between, offer_between, plausible
from tests.media import sdp_bodies

Read = Callable[[bytes], None]
BODIES = tuple(
    text.encode()
    for name, text in vars(sdp_bodies).items()
    if name.isupper() and isinstance(text, str) and "v=0" in text
)
OFFERS = tuple(body for body in BODIES if b"setup:actpass" in body) or BODIES
ANSWERS = BODIES
CODECS = ("opus", "pcmu", "pcma", "telephone-event", None)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def offer() -> Read:
    """An offer that the door answers or refuses."""

    def read(data: bytes) -> None:
        text = _text(data)
        refusal(text)
        with contextlib.suppress(SessionDescriptionError):
            is_same_path(text, sdp_bodies.CHROMIUM_OFFER)
        for video in (True, False):
            try:
                accepted = accept_offer(text, video=video)
            except SessionDescriptionError:
                continue
            assert accepted.kept

    return read


def answer() -> Read:
    """An answer to what the door offered."""
    ours = (sdp_bodies.CHROMIUM_OFFER, sdp_bodies.FIREFOX_OFFER)

    def read(data: bytes) -> None:
        for offered in ours:
            try:
                accept_answer(_text(data), offered)
            except SessionDescriptionError:
                continue

    return read


def passed_on() -> Read:
    """What the space does to descriptions that pass through it."""
    agents = ("signalwire-js/4.0.0", "intercom/1", "")

    def read(data: bytes) -> None:
        text = _text(data)
        if not plausible(text):
            return
        for by in agents:
            for to in agents:
                offer_between(text, by=by, to=to)
                answer_between(text, by=by, to=to)

    return read


def _packet(payload: bytes, payload_type: int, number: int) -> bytes:
    packet = RtpPacket(payload_type=payload_type, sequence_number=number, timestamp=960 * number, ssrc=1)
    packet.payload = payload
    return packet.serialize()


RTP = (
    *(_packet(b"\xfc\xff\xfe", 111, number) for number in range(4)),
    *(_packet(bytes(160), 0, number) for number in range(4, 6)),
    *(_packet(data, 126, 6) for data in payloads("9", duration_ms=60, step_ms=20, clock_hz=8000)),
    b"\x90\x6f\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\xbe\xde\x00\x01\x10\x80\x00\x00\xfc",
)


def rtp() -> Read:
    """Packets of the far end's sound, in each codec, and what is played of them."""
    sound = FarEndSound(lambda _digit: None, lambda _digit, _now: None, clock=lambda: clock)
    clock, count = 0.0, 0

    def read(data: bytes) -> None:
        nonlocal clock, count
        clock, count = clock + 0.005, count + 1
        try:
            packet = RtpPacket.parse(data)
        except ValueError:
            return
        sound.receive(packet, CODECS[packet.payload_type % len(CODECS)])
        if count % 2:
            assert len(sound.pull(clock)) == 480

    return read


RTCP = (
    bytes.fromhex(
        "81c8000c000000010000000000000000000000000000000000000000000000020000000000000000000000000000000000000000"
    ),
    bytes.fromhex("80c900010000000181ca000200000001010161"),
    bytes.fromhex("81ce00020000000100000002"),
    bytes.fromhex("8fce0005000000010000000052454d42010a884000000002"),
    bytes.fromhex("81cd000300000001000000020001000f"),
    bytes.fromhex("81cb000100000001"),
)


def rtcp() -> Read:
    """Reports and feedback of the far end, as aiortc reads them: anything but ValueError kills its task."""

    def read(data: bytes) -> None:
        with contextlib.suppress(ValueError):
            RtcpPacket.parse(data)

    return read


STUN = (
    bytes.fromhex("000100002112a442000102030405060708090a0b"),
    bytes.fromhex("0101000c2112a442000102030405060708090a0b002000080001a147e112a643"),
    bytes.fromhex("011100102112a442000102030405060708090a0b000900090000040155 6e617574680000 00".replace(" ", "")),
)


def stun() -> Read:
    """STUN messages as aioice reads them once it is tamed: anything but ValueError is logged as a failed callback."""
    outlast_any_far_end()

    def read(data: bytes) -> None:
        with contextlib.suppress(ValueError):
            aioice_stun.parse_message(data)

    return read
