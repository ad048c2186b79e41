"""Calls of the client against a service in memory, made in a line, and what to wait for."""

from __future__ import annotations

import asyncio

from intercom.signalwire import SignalWire, WebRTCCall
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import WAIT_S, Service


async def became(call: WebRTCCall, status: str) -> None:
    """Wait until the call has a status."""
    reached = asyncio.Event()
    subscription = call.status_stream.subscribe(lambda now: reached.set() if now == status else None)
    async with asyncio.timeout(WAIT_S):
        await reached.wait()
    subscription.dispose()


async def incoming(client: SignalWire) -> WebRTCCall:
    """Wait for an inbound call."""
    arrived: asyncio.Future[WebRTCCall] = asyncio.get_running_loop().create_future()
    subscription = client.session.incoming_calls_stream.subscribe(
        lambda calls: arrived.set_result(calls[0]) if calls and not arrived.done() else None
    )
    async with asyncio.timeout(WAIT_S):
        call = await arrived
    subscription.dispose()
    return call


async def connected_call(client: SignalWire, service: Service, media: ScriptedMedia) -> WebRTCCall:
    call = await client.dial("/private/house")
    service.verto("verto.answer", call.id, sdp="answer")
    await became(call, "connecting")
    media.calls[-1].become("connected")
    return call
