"""onvif-zeep-async, by which Home Assistant finds a device: it checks every answer against ONVIF's own schema."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware
from onvif import ONVIFCamera
from zeep.exceptions import Fault

from intercom.facts import CLOSED, FORCED, DoorMoved, Fact, Pressed
from intercom.integrations.rtsp.accounts import Account
from intercom.opening.decision import Way
from tests.integrations.onvif.found_door import JPEG, RTSP_PORT, FoundDoor

LIMIT_S = 60.0


@asynccontextmanager
async def client(door: FoundDoor, account: Account) -> AsyncIterator[ONVIFCamera]:
    camera = ONVIFCamera("127.0.0.1", door.server.port, account.name, account.password, adjust_time=True)
    try:
        await camera.update_xaddrs()
        yield camera
    finally:
        await camera.close()


async def test_it_learns_what_the_door_is_and_where_its_stream_is(door: FoundDoor) -> None:
    async with client(door, door.viewer) as camera:
        device = await camera.create_devicemgmt_service()
        information = await device.GetDeviceInformation()
        assert (information.Manufacturer, information.Model) == ("Intercom", "Door station")
        interfaces = await device.GetNetworkInterfaces()
        assert len(interfaces[0].Info.HwAddress) == 17
        media = await camera.create_media_service()
        capabilities = await media.GetServiceCapabilities()
        assert capabilities.SnapshotUri
        profile = (await media.GetProfiles())[0]
        assert profile.VideoEncoderConfiguration.Encoding == "H264"
        assert profile.VideoEncoderConfiguration.RateControl.FrameRateLimit == 25
        assert profile.AudioEncoderConfiguration.Encoding == "G711"
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        stream = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token})
        assert stream.Uri == f"rtsp://127.0.0.1:{RTSP_PORT}/door-pcma"
        for operation in ("GetVideoSources", "GetVideoSourceConfigurations", "GetVideoEncoderConfigurations"):
            assert await getattr(media, operation)()


async def test_it_fetches_the_still(door: FoundDoor) -> None:
    async with client(door, door.viewer) as camera:
        media = await camera.create_media_service()
        profile = (await media.GetProfiles())[0]
        assert await camera.get_snapshot(profile.token) == JPEG


async def heard(camera: ONVIFCamera, door: FoundDoor, fact: Fact, wanted: tuple[str, str]) -> None:
    """Subscribe, let a fact happen, and pull until the wanted input says so."""
    manager = await camera.create_pullpoint_manager(dt.timedelta(seconds=60), lambda: None)
    try:
        service = manager.get_service()
        await manager.set_synchronization_point()
        door.access.tell(fact)
        inputs: list[tuple[str, str]] = []
        async with asyncio.timeout(LIMIT_S):
            while wanted not in inputs:
                said = await service.PullMessages({"MessageLimit": 100, "Timeout": dt.timedelta(seconds=5)})
                inputs += [_input(message) for message in said.NotificationMessage]
    finally:
        await manager.shutdown()


async def test_it_hears_the_bell_and_the_contact(door: FoundDoor) -> None:
    async with client(door, door.viewer) as camera:
        await heard(camera, door, Pressed("/private/house"), ("Bell", "true"))
        await heard(camera, door, DoorMoved(FORCED), ("Contact", "true"))
        await heard(camera, door, DoorMoved(CLOSED), ("Contact", "false"))


def _input(message: Any) -> tuple[str, str]:
    assert message.Topic._value_1 == "tns1:Device/Trigger/DigitalInput"
    inner = message.Message._value_1
    return inner.Source.SimpleItem[0].Value, inner.Data.SimpleItem[0].Value


@asynccontextmanager
async def opening(door: FoundDoor, account: Account) -> AsyncIterator[Any]:
    """The device's service by a client that answers a challenge by HTTP as well."""
    digest = DigestAuthMiddleware(account.name, account.password)
    async with client(door, account) as camera, ClientSession(middlewares=(digest,)) as session:
        device = await camera.create_devicemgmt_service()
        device.transport.session = session
        yield device


async def test_who_may_opens_the_door_and_is_named(door: FoundDoor) -> None:
    async with opening(door, door.opener) as device:
        relay = (await device.GetRelayOutputs())[0]
        assert relay.Properties.Mode == "Monostable"
        await device.SetRelayOutputState({"RelayOutputToken": relay.token, "LogicalState": "active"})
        assert [(command, *caller) for command, caller in door.access.asked] == [
            ("door.open", "ONVIF (opener)", Way.ONVIF)
        ]


async def test_it_opens_again_with_a_challenge_of_its_own(door: FoundDoor) -> None:
    async with opening(door, door.opener) as device:
        for _ in range(2):
            await device.SetRelayOutputState({"RelayOutputToken": "Door", "LogicalState": "active"})
    assert len(door.access.asked) == 2


async def test_a_client_that_answers_no_challenge_is_told_what_it_needs(door: FoundDoor) -> None:
    async with client(door, door.opener) as camera:
        device = await camera.create_devicemgmt_service()
        with pytest.raises(Fault, match="answer the HTTP Digest challenge"):
            await device.SetRelayOutputState({"RelayOutputToken": "Door", "LogicalState": "active"})
    assert door.access.asked == []


async def test_to_let_the_relay_rest_opens_nothing(door: FoundDoor) -> None:
    async with opening(door, door.opener) as device:
        await device.SetRelayOutputState({"RelayOutputToken": "Door", "LogicalState": "inactive"})
        assert door.access.asked == []


async def test_a_door_that_does_not_open_says_why(door: FoundDoor) -> None:
    door.access.refuses = "the door was open for as long as it may"
    async with opening(door, door.opener) as device:
        with pytest.raises(Fault, match="for as long as it may"):
            await device.SetRelayOutputState({"RelayOutputToken": "Door", "LogicalState": "active"})


async def test_what_there_is_not_is_told_as_a_fault(door: FoundDoor) -> None:
    async with client(door, door.viewer) as camera:
        device = await camera.create_devicemgmt_service()
        with pytest.raises(Fault, match="There is no tds:GetUsers here"):
            await device.GetUsers()
