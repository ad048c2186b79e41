"""Tests whether a call would work: dials an address that answers, listens, and judges (protocol.md §6)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from intercom.signalwire.call.dialog.events import CallStatus
from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.errors import CallError, SignalWireError

ANSWER_TIMEOUT_S = 15.0
"""Time limit for the answer: the far end of a test answers by itself."""
DURATION_S = 10.0
GOOD_ENOUGH_MOS = 3.0


class PreflightResult(Struct, frozen=True):
    """The result of a test call."""

    ok: bool
    """Whether a call works, in sufficient quality."""
    warnings: tuple[str, ...] = ()
    """Warnings, one sentence each."""
    dial_ms: float | None = None
    """Time until the service had the call."""
    connected_ms: float | None = None
    """Time from the start until the media was connected."""
    quality_score: float | None = None
    """Mean opinion score at the end."""
    round_trip_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None
    end_cause: str | None = None
    """Cause of the test call's end, if we did not end it."""
    ice_servers: int = 0
    """Number of ICE servers from the service."""


Dial = Callable[[], Awaitable[WebRTCCall]]


async def run_preflight(
    dial: Dial, ice_servers: Sequence[Mapping[str, Any]], duration_s: float, now: Callable[[], float]
) -> PreflightResult:
    """Dial, wait for audio, measure for `duration_s` and hang up; return the result with any faults; raise nothing."""
    started = now()
    warnings = [] if ice_servers else ["The service gave no STUN or TURN server: calls beyond this network may fail."]
    try:
        call = await dial()
    except SignalWireError as error:
        cause = error.cause if isinstance(error, CallError) else None
        return PreflightResult(False, (*warnings, str(error)), end_cause=cause, ice_servers=len(ice_servers))
    dial_ms = (now() - started) * 1000
    over = asyncio.create_task(call.wait_destroyed())
    try:
        if not await _reached(call, CallStatus.CONNECTED, ANSWER_TIMEOUT_S):
            why = f"The test call never connected: {call.end_cause or 'nobody answered'}."
            return PreflightResult(
                False, (*warnings, why), dial_ms, end_cause=call.end_cause, ice_servers=len(ice_servers)
            )
        connected_ms = (now() - started) * 1000
        await asyncio.wait({over}, timeout=duration_s)
        return _judge(call, warnings, dial_ms, connected_ms, len(ice_servers))
    finally:
        over.cancel()
        await call.hangup()


def _judge(
    call: WebRTCCall, warnings: list[str], dial_ms: float, connected_ms: float, ice_servers: int
) -> PreflightResult:
    metrics = call.network_metrics[-1] if call.network_metrics else None
    if call.end_cause is not None:
        warnings.append(f"The test call ended by itself: {call.end_cause}.")
    if metrics is None:
        warnings.append("The media provider counts nothing: the sound was not judged.")
    elif metrics.mos < GOOD_ENOUGH_MOS:
        warnings.append(f"The sound is poor: {metrics.mos:.1f} of 4.5.")
    warnings += [f"The network has a problem: {issue.kind}." for issue in call.network_issues]
    good = call.end_cause is None and (metrics is None or metrics.mos >= GOOD_ENOUGH_MOS)
    return PreflightResult(
        good and call.is_network_healthy,
        tuple(warnings),
        dial_ms,
        connected_ms,
        round(metrics.mos, 2) if metrics else None,
        metrics.round_trip_ms if metrics else None,
        metrics.jitter_ms if metrics else None,
        metrics.loss_percent if metrics else None,
        call.end_cause,
        ice_servers,
    )


async def _reached(call: WebRTCCall, status: CallStatus, timeout_s: float) -> bool:
    reached = asyncio.Event()

    def look(now: CallStatus) -> None:
        if now is status or now is CallStatus.DESTROYED:
            reached.set()

    subscription = call.status_stream.subscribe(look)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await reached.wait()
    subscription.dispose()
    return call.status is status
