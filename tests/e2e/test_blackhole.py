"""A path that swallows the media while ICE and the signalling live: the client moves the call to another."""

from __future__ import annotations

import asyncio

from intercom.media.events import CallMoved
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.signalwire import SignalWire
from intercom.signalwire.wire import messages as m
from tests.media.calls import running_engine, simulated, wait_for_state
from tests.media.events import Reported
from tests.signalwire.service import MemorySocket, Service, Tokens, verto


class Relaying(Service):
    """Passes the caller's offers to a real far end."""

    def __init__(self, far: DoorCall) -> None:
        super().__init__()
        self._far = far
        self._answering: set[asyncio.Task[None]] = set()

    def take(self, socket: MemorySocket, text: str) -> None:
        frame = m.parse(text)
        asked = verto(frame) if isinstance(frame, m.Request) and frame.method == "webrtc.verto" else None
        if asked is None or asked.method not in {"verto.invite", "verto.modify"}:
            super().take(socket, text)
            return
        assert isinstance(frame, m.Request)
        if asked.method == "verto.invite":
            super().take(socket, text)
        task = asyncio.get_running_loop().create_task(self._answer(socket, frame, asked))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, socket: MemorySocket, request: m.Request, asked: m.VertoMessage) -> None:
        offer = asked.params["sdp"]
        if asked.method == "verto.invite":
            self.verto("verto.answer", asked.params["dialogParams"]["callID"], sdp=await self._far.create_answer(offer))
            return
        inner = {"jsonrpc": "2.0", "id": asked.id, "result": {"sdp": await self._far.create_restart_answer(offer)}}
        socket.deliver(m.encode(m.response(request.id, {"node_id": "node-1", "code": "200", "result": inner})))


def swallow_media(call: DoorCall) -> None:
    """From now on nothing but ICE's own checks leaves over the connection that the call has now."""

    async def swallow(data: bytes) -> None:
        """Gone."""

    dtls, sound = call._connection.sender.transport, call._connection._sound
    dtls._send_rtp = dtls.transport._send = swallow
    assert sound is not None
    sound._open().send = lambda packets: None  # type: ignore[method-assign]  # gone as well


async def test_a_call_whose_media_is_swallowed_asks_for_a_keyframe_and_moves_to_another_path() -> None:
    events: Reported[object] = Reported()
    with running_engine(simulated()) as near_engine, running_engine(simulated()) as far_engine:
        far = DoorMedia(far_engine, on_event=events).open("far", [], video=False)
        media = DoorMedia(near_engine, on_event=events)
        service = Relaying(far)
        async with SignalWire(Tokens(), media=media, options=service.options()) as client:
            client.preferences.ice_servers = []
            await client.register()
            call = await client.dial("/private/house", video=False)
            done: list[str] = []
            call.recovery_event_stream.subscribe(lambda event: done.append(event.action))
            near = media._calls[call.id]
            await wait_for_state(near, "connected")
            async with asyncio.timeout(60):
                while not call.network_metrics or not (await near.call_counters())["audio_packets_received"]:
                    await asyncio.sleep(0.05)
                swallow_media(near)
                swallow_media(far)
                while "ice_restarted" not in done:
                    await asyncio.sleep(0.05)
            # A machine that stood still before may have made it ask then as well.
            assert done.index("keyframe") < done.index("ice_restart") < done.index("ice_restarted")
            assert call.status == "connected"
            assert any(isinstance(event, CallMoved) for event in events.all)
            await call.hangup()
        await far.close()
