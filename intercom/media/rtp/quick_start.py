"""Spare a connection the work that can be done before or once: a visitor waits for its description.

Like `aiortc_hooks`, it rests on private names of aiortc 1.16 and aioice 0.13, which are pinned; a test fails when one
goes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from aioice import ice
from aiortc import RTCCertificate, RTCIceTransport, rtcpeerconnection, rtcrtpreceiver
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCDtlsFingerprint, SRTPProtectionProfile
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.sdp import MediaDescription
from OpenSSL import SSL

SPARE_AFTER_S = 1.0
"""Delay after the use of the spare certificate until the next is made: the call has its beginning behind it then."""
SPARE_LEFT = datetime.timedelta(days=7)
"""Validity that a spare certificate must have left; aiortc's are valid for 30 days."""

_generate = RTCCertificate.generateCertificate
_fingerprints = RTCCertificate.getFingerprints
_create_context = RTCCertificate._create_ssl_context
_host_addresses = ice.get_host_addresses
_read: ContextVar[dict[tuple[bool, bool], list[str]] | None] = ContextVar("read", default=None)


def start_quickly() -> None:
    """Make aiortc's connections start quickly; harmless when repeated, and holds for connections made from then on."""
    if RTCCertificate.getFingerprints is _fingerprints:
        RTCCertificate.generateCertificate = SpareCertificate().take  # type: ignore[method-assign]  # see the module's docstring
        RTCCertificate.getFingerprints = _known_fingerprints  # type: ignore[method-assign,assignment]  # idem
        RTCCertificate._create_ssl_context = _known_context  # type: ignore[method-assign,assignment]  # idem
        rtcrtpreceiver.RemoteBitrateEstimator = LateBitrateEstimator  # type: ignore[attr-defined,assignment]  # idem
        rtcpeerconnection.add_remote_candidates = _add_in_turn  # type: ignore[assignment]  # idem
        RTCRtpCodecParameters.__deepcopy__ = _copied  # type: ignore[attr-defined]  # idem
        ice.get_host_addresses = _addresses
        ice.random_string = random_ice_chars  # type: ignore[attr-defined]  # idem


class SpareCertificate:
    """Has the next connection's certificate ready; each is for one connection, as aiortc's own are."""

    def __init__(self) -> None:
        self._making = False
        self._spare: RTCCertificate | None = _ready()

    def take(self) -> RTCCertificate:
        """Return a certificate that no other connection has."""
        spare, self._spare = self._spare, None
        if not self._making:
            with contextlib.suppress(RuntimeError):  # nobody runs a loop: the next one is made when it is needed
                asyncio.get_running_loop().call_later(SPARE_AFTER_S, self._make)
                self._making = True
        if spare is None or spare.expires < datetime.datetime.now(datetime.UTC) + SPARE_LEFT:
            return _generate()
        return spare

    def _make(self) -> None:
        self._making = False
        self._spare = _ready()


def _ready() -> RTCCertificate:
    """Return a new certificate that brings the context of its handshake with it."""
    certificate = _generate()
    certificate.__dict__["context"] = _create_context(certificate, SRTP_PROFILES)
    return certificate


def _known_context(certificate: RTCCertificate, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
    """Return the certificate's context for a handshake; to make one when both ends wait would hold the sound up."""
    known: SSL.Context | None = certificate.__dict__.get("context")
    if known is None or srtp_profiles != SRTP_PROFILES:
        return _create_context(certificate, srtp_profiles)
    return known


def _known_fingerprints(certificate: RTCCertificate) -> list[RTCDtlsFingerprint]:
    """Return the certificate's fingerprints; aiortc computes three of them for every section of every description."""
    known: list[RTCDtlsFingerprint] | None = certificate.__dict__.get("fingerprints")
    if known is None:
        known = certificate.__dict__["fingerprints"] = _fingerprints(certificate)
    return list(known)


def _copied(codec: RTCRtpCodecParameters, _memo: dict[int, Any]) -> RTCRtpCodecParameters:
    """Return a copy of a codec that can be changed; aiortc copies each that is agreed on, value for value."""
    feedback, parameters = list(codec.rtcpFeedback), dict(codec.parameters)
    return RTCRtpCodecParameters(
        codec.mimeType, codec.clockRate, codec.channels, codec.payloadType, feedback, parameters
    )


async def _add_in_turn(transport: RTCIceTransport, media: MediaDescription) -> None:
    """Add a far end's candidates without a task for each: the loop does much else before those have their turns."""
    for candidate in media.ice_candidates:
        await transport.addRemoteCandidate(candidate)
    if media.ice_candidates_complete:
        await transport.addRemoteCandidate(None)


class LateBitrateEstimator:
    """The estimator of what a far end sends, made with its first packet: of a door nobody receives a picture."""

    def __init__(self) -> None:
        self._estimator: RemoteBitrateEstimator | None = None

    def add(self, *packet: Any, **named: Any) -> tuple[int, list[int]] | None:
        """Take a packet as aiortc's estimator does."""
        if self._estimator is None:
            self._estimator = RemoteBitrateEstimator()
        return self._estimator.add(*packet, **named)


def random_ice_chars(length: int) -> str:
    """Return so many random characters of RFC 8839's ice-char, 6 bits each, by one read of the system's source."""
    return base64.b64encode(os.urandom(length)).decode("ascii")[:length]


@contextlib.contextmanager
def addresses_read_once() -> Iterator[None]:
    """Let all transports that gather candidates within it share one look at this machine's addresses."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def _addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    read = _read.get()
    if read is None:
        return _host_addresses(use_ipv4, use_ipv6)
    if (use_ipv4, use_ipv6) not in read:
        read[use_ipv4, use_ipv6] = _host_addresses(use_ipv4, use_ipv6)
    return list(read[use_ipv4, use_ipv6])
