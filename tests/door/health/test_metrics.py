"""The figures of a door, and how they are served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.config import ApiConfig, AudioConfig, MetricsConfig, MqttConfig, OnvifConfig, RtspConfig, WebhookConfig
from intercom.door.health import metrics
from intercom.door.machine import Fault
from intercom.facts import Unreached
from intercom.history.families import text
from intercom.media.echo.canceller import EchoCanceller, EchoStats
from tests.e2e.home import Home, home_config
from tests.history.test_families import parsed
from tests.ports import reserved_port

WAIT_S = 60.0
INTEGRATIONS = ("mqtt", "api", "webhook", "rtsp", "onvif")
DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana.json"


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated")))
    await home.start()
    yield home
    await home.stop()


def figures(home: Home) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    assert home.door is not None
    return parsed(text(metrics.figures(home.door.parts, uptime_s=1.0)))


@pytest_asyncio.fixture
async def house_with_everything(tmp_path: Path) -> AsyncIterator[Home]:
    """A home whose door is configured with each integration; its broker is away, and its webhook's receiver too."""
    with reserved_port() as nobody:
        config = home_config(
            audio=AudioConfig(card="simulated"),
            mqtt=MqttConfig(url=f"mqtt://127.0.0.1:{nobody}"),
            api=ApiConfig(listen="127.0.0.1:0"),
            webhook=(WebhookConfig(url=f"http://127.0.0.1:{nobody}/", name="shed", events=("pressed",)),),
            rtsp=RtspConfig(listen="127.0.0.1:0"),
            onvif=OnvifConfig(listen="127.0.0.1:0"),
        )
        home = Home(tmp_path, config)
        await home.start()
        try:
            door = home.door
            assert door is not None
            await home.wait_for(lambda: len(door.handlers.status()["integrations"]) == len(INTEGRATIONS), "them")
            yield home
        finally:
            await home.stop()


async def test_the_figures_follow_the_door(home: Home) -> None:
    assert home.door is not None
    assert figures(home)["intercom_registered", ()] == 1
    assert figures(home)["intercom_state", (("state", "idle"),)] == 1
    home.door.machine.fault(Fault.CAMERA)
    home.door.machine.fault_cleared(Fault.CAMERA)
    home.door.journal.tell(Unreached("/private/house", "USER_BUSY"))
    now = figures(home)
    assert now["intercom_recoveries_total", (("kind", "camera"),)] == 1
    assert now["intercom_fault_open", (("kind", "camera"),)] == 0
    assert now["intercom_calls_total", (("direction", "outbound"), ("outcome", "busy"))] == 1


async def test_the_dashboard_asks_for_all_figures_and_no_others(house_with_everything: Home) -> None:
    assert house_with_everything.door is not None
    there = {family.name for family in metrics.figures(house_with_everything.door.parts, uptime_s=1.0)}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for expr in asked for name in re.findall(r"intercom_\w+", expr)}
    assert names <= there
    # One fills the list of doors; the state says as much as the other, which is for alerts.
    assert there - names <= {"intercom_info", "intercom_in_call"}


async def test_each_integration_has_figures_with_labels_of_the_house_s_own(house_with_everything: Home) -> None:
    found = figures(house_with_everything)
    assert found["intercom_mqtt_connected", ()] == 0
    assert found["intercom_webhook_waiting", (("name", "shed"),)] == 0
    assert found["intercom_api_requests_total", (("result", "done"),)] == 0
    assert found["intercom_rtsp_viewers", (("by", "tcp"),)] == 0
    assert found["intercom_onvif_subscriptions", ()] == 0


async def test_what_is_not_configured_has_no_figure(home: Home) -> None:
    names = {name for name, _ in figures(home)}
    assert not [name for name in names if name.split("_")[1] in INTEGRATIONS]


async def test_whom_the_space_brings_to_the_camera_is_counted(home: Home) -> None:
    found = figures(home)
    assert {kind: found["intercom_viewers", (("kind", kind),)] for kind in ("ring", "look", "token")} == {
        "ring": 0,
        "look": 0,
        "token": 0,
    }
    assert found["intercom_viewer_refusals_total", (("why", "no-look"),)] == 0


async def test_the_echo_is_among_the_figures_once_it_was_heard(home: Home) -> None:
    assert home.door is not None
    assert isinstance(home.door.parts.canceller, EchoCanceller)
    left = EchoStats(echo_loss_db=41.0, echo_level_db=-3.0, drift_ppm=0.0, far_spoke_s=5.0)
    home.door.parts.canceller.stats = lambda: left  # type: ignore[method-assign] # as a call would leave them
    assert figures(home)["intercom_echo_loss_db", ()] == 41.0


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), WAIT_S)
    writer.close()
    return answer


def unexpected(error: BaseException) -> None:
    pytest.fail(f"an unexpected fault: {error}")


@pytest_asyncio.fixture
async def exporter() -> AsyncIterator[metrics.Exporter]:
    exporter = metrics.Exporter(MetricsConfig(listen="127.0.0.1:0"), lambda: "t 1\n", on_fault=unexpected)
    await exporter.start()
    yield exporter
    await exporter.stop()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"GET /metrics?a=b HTTP/1.0\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
    ],
)
async def test_a_scraper_gets_an_answer(exporter: metrics.Exporter, request_: bytes, status: bytes) -> None:
    assert exporter.port is not None
    answer = await ask(exporter.port, request_)
    assert answer.split(b" ")[1] == status
    assert answer.endswith(b"\r\n\r\nt 1\n") == (status == b"200")


async def test_an_endless_request_is_cut_off(exporter: metrics.Exporter) -> None:
    assert exporter.port is not None
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await ask(exporter.port, b"x" * 100_000)
    assert answer == b""


async def test_nothing_listens_by_default() -> None:
    exporter = metrics.Exporter(MetricsConfig(), lambda: "", on_fault=unexpected)
    await exporter.start()
    assert exporter.port is None
    await exporter.stop()


async def test_an_address_that_is_taken_is_told_and_had_when_it_is_free(exporter: metrics.Exporter) -> None:
    config = MetricsConfig(listen=f"127.0.0.1:{exporter.port}")
    second = metrics.Exporter(config, lambda: "t 2\n", on_fault=unexpected)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await exporter.stop()
    await second.start()
    assert second.port is not None
    assert (await ask(second.port, b"GET /metrics HTTP/1.0\r\n\r\n")).endswith(b"t 2\n")
    await second.stop()


async def test_a_textfile_that_cannot_be_written_any_more_is_told_and_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "TEXTFILE_S", 0.0)
    folder = tmp_path / "metrics"
    folder.mkdir()
    faults: asyncio.Queue[BaseException] = asyncio.Queue()
    config = MetricsConfig(textfile=str(folder / "intercom.prom"))
    exporter = metrics.Exporter(config, lambda: "t 1\n", on_fault=faults.put_nowait)
    await exporter.start()
    folder.rename(tmp_path / "elsewhere")
    async with asyncio.timeout(WAIT_S):
        assert isinstance(await faults.get(), OSError)
    folder.mkdir()
    await exporter.start()
    assert (folder / "intercom.prom").read_text() == "t 1\n"
    await exporter.stop()


async def test_figures_are_served_although_their_file_cannot_be_written(tmp_path: Path) -> None:
    config = MetricsConfig(listen="127.0.0.1:0", textfile=str(tmp_path / "nowhere" / "intercom.prom"))
    exporter = metrics.Exporter(config, lambda: "t 1\n", on_fault=unexpected)
    with pytest.raises(FileNotFoundError):
        await exporter.start()
    assert exporter.port is not None
    assert (await ask(exporter.port, b"GET /metrics HTTP/1.0\r\n\r\n")).endswith(b"t 1\n")
    await exporter.stop()


async def test_figures_are_written_although_their_address_is_taken(exporter: metrics.Exporter, tmp_path: Path) -> None:
    file = tmp_path / "intercom.prom"
    config = MetricsConfig(listen=f"127.0.0.1:{exporter.port}", textfile=str(file))
    second = metrics.Exporter(config, lambda: "t 2\n", on_fault=unexpected)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    assert file.read_text() == "t 2\n"
    await second.stop()


async def test_the_textfile_is_always_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "TEXTFILE_S", 0.0)
    file = tmp_path / "intercom.prom"
    exporter = metrics.Exporter(MetricsConfig(textfile=str(file)), lambda: "t 1\n" * 1000, on_fault=unexpected)
    await exporter.start()
    async with asyncio.timeout(WAIT_S):
        while not file.exists():
            await asyncio.sleep(0.001)
    for _ in range(50):
        assert file.read_text() == "t 1\n" * 1000
        await asyncio.sleep(0.001)
    await exporter.stop()
