"""The server at its edges: limits, slow and stuck viewers, privacy, the way back, and what the status says."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from intercom.config import RtspConfig
from intercom.history.families import text
from intercom.integrations.rtsp import connection, conversation, pace, server
from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.conversation import BACKCHANNEL, MOST_GUESSES
from intercom.integrations.rtsp.rtp import Numbered
from intercom.media.codec.g711 import G711Encoder
from intercom.media.sound.engine import AudioEngine
from tests.alsa import tone
from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import LIMIT_S, WatchedDoor, pattern_camera, until, watched_door
from tests.ports import free_port

TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


async def test_nothing_runs_while_nobody_watches(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as client:
        assert (await client.ask("OPTIONS")).status == 200
        assert not door.camera.is_running
        assert not door.engine.stats().running


async def test_the_camera_and_the_microphone_run_while_somebody_watches(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as client:
        await client.ask("DESCRIBE")
        for track, channels in (("video", "0-1"), ("audio", "2-3")):
            await client.ask("SETUP", f"door/{track}", Transport=f"RTP/AVP/TCP;unicast;interleaved={channels}")
        await client.ask("PLAY")
        while {channel for channel, _ in client.packets} < {0, 1, 2, 3}:
            await client.packet()
        assert door.camera.is_running
        assert door.engine.stats().running
    await until(lambda: not door.camera.is_running and not door.engine.stats().running)


async def test_a_pause_stops_both_and_play_goes_on(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as client:
        await client.watch()
        await client.packet()
        assert (await client.ask("PAUSE")).status == 200
        client.packets.clear()
        assert (await client.ask("GET_PARAMETER")).status == 200
        assert client.packets == []
        await client.ask("PLAY")
        await client.packet()


async def test_a_viewer_too_many_is_refused_until_another_goes(tmp_path: Path, engine: AudioEngine) -> None:
    with pattern_camera() as camera:
        async with watched_door(tmp_path, engine, camera, RtspConfig(most_viewers=1)) as door:
            port = door.server.port
            async with RawClient(port, door.viewer) as first, RawClient(port, door.viewer) as second:
                await first.watch()
                await second.ask("DESCRIBE")
                assert (await second.ask("SETUP", "door/video", Transport=TCP)).status == 453
                await first.ask("TEARDOWN")
                assert (await second.ask("SETUP", "door/video", Transport=TCP)).status == 200


async def test_the_figures_count_who_watches_and_who_may_not(tmp_path: Path, engine: AudioEngine) -> None:
    with pattern_camera() as camera:
        async with watched_door(tmp_path, engine, camera, RtspConfig(most_viewers=1)) as door:
            port, guesser = door.server.port, Account(door.viewer.name, "a guess")
            async with (
                RawClient(port, door.viewer) as first,
                RawClient(port, door.viewer) as second,
                RawClient(port, guesser) as third,
            ):
                await first.watch()
                await second.ask("DESCRIBE")
                assert (await second.ask("SETUP", "door/video", Transport=TCP)).status == 453
                await third.ask("DESCRIBE")
                for _ in range(MOST_GUESSES - 1):
                    await third.ask_once("DESCRIBE")
                await third.ends()
                told = text(door.server.figures()).splitlines()
    assert {
        'intercom_rtsp_viewers{by="tcp"} 1',
        'intercom_rtsp_viewers{by="udp"} 0',
        "intercom_rtsp_talkers 0",
        'intercom_rtsp_refusals_total{why="full"} 1',
        'intercom_rtsp_refusals_total{why="password"} 1',
    } <= set(told)


async def test_without_its_setting_nobody_hears_the_microphone(tmp_path: Path, engine: AudioEngine) -> None:
    with pattern_camera() as camera:
        async with (
            watched_door(tmp_path, engine, camera, RtspConfig()) as door,
            RawClient(door.server.port, door.viewer) as client,
        ):
            assert "m=audio" not in (await client.ask("DESCRIBE")).body
            assert (await client.ask("SETUP", "door/audio", Transport=TCP)).status == 404


async def test_a_stuck_viewer_is_let_go_and_another_sees_on(door: WatchedDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SEND_BUFFER_BYTES", 4096)
    monkeypatch.setattr(pace, "STUCK_S", 1.0)
    async with RawClient(door.server.port, door.viewer) as stuck, RawClient(door.server.port, door.viewer) as well:
        taken: socket.socket = stuck.writer.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        await stuck.watch()
        stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a reader's transport reads, too
        await well.watch()
        async with asyncio.timeout(LIMIT_S):
            while len(door.document["viewers"]) > 1:
                await well.packet()
        before = len(well.packets)
        while len(well.packets) < before + 20:
            await well.packet()


async def test_a_viewer_by_udp_that_gives_no_sign_of_life_is_let_go(
    door: WatchedDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        number = port.getsockname()[1]
        async with RawClient(door.server.port, door.viewer) as client:
            await client.ask("DESCRIBE")
            await client.ask("SETUP", "door/video", Transport=f"RTP/AVP;unicast;client_port={number}-{number ^ 1}")
            await client.ask("PLAY")
            monkeypatch.setattr(conversation, "TIMEOUT_S", 1)  # not before: a cold camera takes longer
            await client.ends()
    await until(lambda: not door.camera.is_running)


async def test_a_client_that_closes_its_port_before_it_says_goodbye_is_answered(
    door: WatchedDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GOODBYE_S", 10 * LIMIT_S)
    closed = free_port()
    async with RawClient(door.server.port, door.viewer) as client:
        await client.ask("DESCRIBE")
        await client.ask("SETUP", "door/video", Transport=f"RTP/AVP;unicast;client_port={closed}-{closed ^ 1}")
        await client.ask("PLAY")
        (viewer,) = (each.viewer for each in door.server._connections)
        assert viewer is not None
        await until(lambda: not viewer.plays)
        assert (await client.ask("TEARDOWN")).status == 200


async def test_while_the_camera_is_off_for_privacy_a_viewer_hears_nothing(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as client:
        await client.watch("door-pcma", "audio")
        door.camera.forbid(True)
        client.packets.clear()
        async with asyncio.timeout(LIMIT_S):
            while True:
                channel, packet = await client.packet()
                if channel == 0 and set(packet[12:]) <= {0xD5, 0x55, 0xD4, 0x54}:
                    break  # the levels next to zero


async def test_who_may_talk_is_heard_at_the_door(door: WatchedDoor) -> None:
    encoder, numbers = G711Encoder("pcma"), Numbered(8, 8000, "hall")
    sound = tone(440, 0.02)
    async with RawClient(door.server.port, door.talker) as client:
        described = await client.ask("DESCRIBE", "door-pcma", Require=BACKCHANNEL)
        assert "a=control:talk\r\na=sendonly" in described.body
        set_up = await client.ask("SETUP", "door-pcma/talk", Transport=TCP, Require=BACKCHANNEL)
        assert set_up.status == 200
        await client.ask("PLAY", "door-pcma", Require=BACKCHANNEL)
        async with asyncio.timeout(LIMIT_S):
            at = 0
            while door.engine.stats().speaker_db < -40 or not any(each["talks"] for each in door.document["viewers"]):
                packet = numbers.packet(encoder.encode(sound), at, marker=False)
                client.writer.write(b"$\x00" + len(packet).to_bytes(2, "big") + packet)
                at += 160
                await asyncio.sleep(0.02)
    await until(lambda: door.engine.beside.voice is None)


async def test_the_status_says_who_watches_and_no_secret(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as client:
        await client.watch()
        await client.packet()
        shown = door.document
        assert [(each["name"], each["address"]) for each in shown["viewers"]] == [("viewer", "127.0.0.1")]
        assert door.viewer.password not in str(shown)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 20_000])
async def test_who_does_not_speak_rtsp_is_let_go(door: WatchedDoor, said: bytes) -> None:
    async with RawClient(door.server.port) as client:
        client.writer.write(said)
        await client.ends()
