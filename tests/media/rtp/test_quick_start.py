"""What a connection need not do while a visitor waits; each test fails loudly when a private name of aiortc goes."""

from __future__ import annotations

import asyncio
import copy
import string
from collections.abc import Iterator

import ifaddr
import pytest
from aioice import ice
from aiortc import RTCCertificate, RTCConfiguration, RTCPeerConnection, rtcrtpreceiver
from aiortc.codecs import CODECS
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcdtlstransport import SRTP_PROFILES

from intercom.media.rtp.hooks import tame_ice
from intercom.media.rtp.quick_start import (
    SPARE_LEFT,
    LateBitrateEstimator,
    SpareCertificate,
    _fingerprints,
    addresses_read_once,
    random_ice_chars,
    start_quickly,
)
from tests.growth import instructions


@pytest.fixture(autouse=True)
def quickly() -> None:
    start_quickly()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """One entry for each look at this machine's addresses."""
    looks: list[None] = []
    look = ifaddr.get_adapters

    def counted() -> object:
        looks.append(None)
        return look()

    monkeypatch.setattr(ifaddr, "get_adapters", counted)
    yield looks


async def described() -> str:
    """The offer of a connection with sound and a picture."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio")
    connection.addTransceiver("video", "sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    description = connection.localDescription.sdp
    await connection.close()
    return description


async def test_both_transports_of_a_description_share_one_look_at_the_addresses(looks: list[None]) -> None:
    with addresses_read_once():
        description = await described()
    assert len(looks) == 1
    assert description.count("a=candidate:") % 2 == 0


async def test_the_next_description_looks_anew(looks: list[None]) -> None:
    for _ in range(2):
        with addresses_read_once():
            await described()
    assert len(looks) == 2


async def test_no_two_connections_have_one_certificate() -> None:
    descriptions = [await described() for _ in range(3)]
    fingerprints = {
        line for text in descriptions for line in text.splitlines() if line.startswith("a=fingerprint:sha-256")
    }
    assert len(fingerprints) == 3


def test_a_spare_certificate_that_waited_for_weeks_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = SpareCertificate()
    old = certificates._spare
    assert old is not None
    monkeypatch.setattr(RTCCertificate, "expires", property(lambda _: old._cert.not_valid_after_utc - 4 * SPARE_LEFT))
    assert certificates.take() is not old


def test_the_spare_certificate_is_used_once() -> None:
    certificates = SpareCertificate()
    assert certificates.take() is not certificates.take()


def test_the_spare_certificate_has_the_context_of_its_handshake_ready() -> None:
    spare = SpareCertificate().take()
    ready = spare.__dict__["context"]
    assert spare._create_ssl_context(SRTP_PROFILES) is ready
    assert spare._create_ssl_context(SRTP_PROFILES[:1]) is not ready


def test_a_certificate_says_the_fingerprints_that_aiortc_computes_and_keeps_them() -> None:
    certificate = RTCCertificate.generateCertificate()
    first, second = certificate.getFingerprints(), certificate.getFingerprints()
    assert first == second == _fingerprints(certificate)
    assert first[0] is second[0]


def test_a_codec_is_copied_without_a_walk_through_its_values_and_the_copy_can_be_changed() -> None:
    h264 = next(codec for codec in CODECS["video"] if codec.mimeType == "video/H264")
    copied = copy.deepcopy(h264)
    assert (copied, copied is h264) == (h264, False)
    kept = len(h264.rtcpFeedback), len(h264.parameters)
    copied.rtcpFeedback.clear()
    copied.parameters.clear()
    assert (len(h264.rtcpFeedback), len(h264.parameters)) == kept
    assert instructions(lambda: copy.deepcopy(h264)) < 200


def test_a_receiver_s_estimator_says_what_aiortc_s_says_from_its_first_packet_on() -> None:
    assert rtcrtpreceiver.RemoteBitrateEstimator is LateBitrateEstimator
    late, own = LateBitrateEstimator(), RemoteBitrateEstimator()
    for number in range(400):
        packet = {"arrival_time_ms": 5 * number, "abs_send_time": 1300 * number, "payload_size": 900, "ssrc": 7}
        assert late.add(**packet) == own.add(**packet)


def test_ice_s_names_and_passwords_are_long_enough_and_of_its_characters() -> None:
    assert ice.random_string is random_ice_chars
    for length in (22, 32):
        text = random_ice_chars(length)
        assert len(text) == length
        assert set(text) <= set(string.ascii_letters + string.digits + "+/")
        assert text != random_ice_chars(length)


async def test_an_answer_is_followed_by_the_first_check_after_few_turns_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door, house = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    for kind in ("audio", "video"):
        door.addTransceiver(kind, "sendonly")
    tame_ice(door)
    await door.setLocalDescription(await door.createOffer())
    await house.setRemoteDescription(door.localDescription)
    await house.setLocalDescription(await house.createAnswer())
    turns = 0
    began_after: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def connect() -> None:
        began_after.set_result(turns)

    first = door.getTransceivers()[0].receiver.transport.transport._connection
    monkeypatch.setattr(first, "connect", connect)
    answering = asyncio.ensure_future(door.setRemoteDescription(house.localDescription))
    while not began_after.done():
        await asyncio.sleep(0)
        turns += 1
    await answering
    assert began_after.result() <= 5
    await door.close()
    await house.close()
