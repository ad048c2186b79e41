"""A stock far end that sends and takes redundant audio (RFC 2198), as Chrome, Edge and Safari do; aiortc has none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import RtpPacket

from intercom.media.rtp.hooks import route_also
from intercom.media.rtp.redundancy import Redundancy, unpack
from intercom.media.rtp.sdp import Description
from intercom.media.rtp.sdp_redundancy import offer_redundancy, redundant_opus
from intercom.signalwire import AiortcMedia
from intercom.signalwire.aiortc_media import AiortcCall

WORD = 4
FIXED_HEADER = 12
"""Length of an RTP header without sources and extension (RFC 3550 section 5.1)."""


class RedundantMedia(AiortcMedia):
    """Opens calls of which each packet of sound holds the last one too, both ways, where the door agrees."""

    def open(self, call_id: str, ice_servers: Sequence[Mapping[str, Any]], **wanted: bool) -> AiortcCall:
        """Open a call."""
        opened = super().open(call_id, ice_servers, **wanted)
        offer, accept = opened.create_offer, opened.accept_answer

        async def create_offer() -> str:
            return offer_redundancy(await offer())

        async def accept_answer(answer: str) -> None:
            await accept(answer)
            pairs = [redundant_opus(section) for section in Description.parse(answer).sections]
            red, opus = next(pair for pair in pairs if pair is not None)
            audio = next(each for each in opened._connection.getTransceivers() if each.kind == "audio")
            take_redundancy(audio.receiver, red)
            send_redundancy(audio.sender, red, opus)

        opened.create_offer = create_offer  # type: ignore[method-assign] # a call of its own kind
        opened.accept_answer = accept_answer  # type: ignore[method-assign] # the same
        return opened


def take_redundancy(receiver: RTCRtpReceiver, red: int) -> None:
    """Let a receiver find each packet's own sound in what comes with this payload type."""
    take = receiver._handle_rtp_packet
    route_also(receiver, red)

    async def handle(packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload_type == red:
            own = unpack(packet.payload)[-1]
            packet.payload_type, packet.payload = own.payload_type, own.payload
        await take(packet, arrival_time_ms)

    receiver._handle_rtp_packet = handle  # type: ignore[method-assign] # aiortc has no other way in


def send_redundancy(sender: RTCRtpSender, red: int, opus: int) -> None:
    """Send the last packet's sound again in each packet of this payload type."""
    redundancy, packets = Redundancy(red, opus), sender.transport
    send: Callable[[bytes], Awaitable[None]] = packets._send_rtp

    async def send_rtp(data: bytes) -> None:
        if data[1] & 0x7F != opus:
            await send(data)
            return
        header = FIXED_HEADER + WORD * (data[0] & 0x0F)
        if data[0] & 0x10:
            header += WORD + WORD * int.from_bytes(data[header + 2 : header + WORD], "big")
        timestamp = int.from_bytes(data[4:8], "big")
        payload = redundancy.pack(timestamp, data[header:])
        await send(bytes([data[0], data[1] & 0x80 | red]) + data[2:header] + payload)

    packets._send_rtp = send_rtp  # type: ignore[method-assign] # aiortc has no other way out
