"""A whole door with its API and a webhook: a press is told to both, a token opens, and no trouble of theirs spreads."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from intercom.config import ApiConfig, AudioConfig, WebhookConfig
from intercom.door.health.faults import Part
from intercom.door.machine import State
from intercom.integrations.tokens import FILE, Tokens
from intercom.integrations.webhooks import hook
from intercom.media.camera import shared as camera
from intercom.space.http import listener, request_filter
from tests.e2e.home import PATIENCE_S, Home, home_config
from tests.integrations.webhooks.receiver import Receiver, receiver
from tests.ports import free_port

SCHEMATHESIS_S = 900
NO_LIMIT_PER_S = 1e9
SCHEMATHESIS = """
# How long it takes to think of a request is a measure of the machine.
suppress-health-check = ["too_slow"]

[checks]
# That each operation asks for a token is told by a check of the header; wrong ones have tests of their own.
ignored_auth.enabled = false

[[operations]]
include-path = "/api/v1/events"
parameters = { wait = 0 }

[[operations]]
# An address and a sentence have more rules than a schema can say.
include-path-regex = "/api/v1/(call|say)"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "409"]
"""


class Integrated:
    """A home with an API, and a receiver of its webhook."""

    def __init__(self, home: Home, taker: Receiver, http: aiohttp.ClientSession) -> None:
        self.home = home
        self.taker = taker
        self.http = http
        tokens = Tokens(home.state_dir / FILE)
        self.opener = tokens.add("shed", "opener")

    @property
    def status(self) -> dict[str, Any]:
        assert self.home.door is not None
        return self.home.door.handlers.status()

    @property
    def url(self) -> str:
        return str(self.status["integrations"]["api"]["url"]) + "/api/v1"

    def ask(self, method: str, path: str, **more: Any) -> Any:
        return self.http.request(method, self.url + path, headers={"Authorization": f"Bearer {self.opener}"}, **more)


@pytest_asyncio.fixture
async def integrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Integrated]:
    # Schemathesis asks more often, and with more wrong tokens, than the door lets anybody; the quicker the machine,
    # the more of its questions would be answered with 429. The limits have tests of their own.
    monkeypatch.setattr(request_filter, "REQUESTS_PER_S", NO_LIMIT_PER_S)
    monkeypatch.setattr(listener, "CONNECTIONS_PER_S", NO_LIMIT_PER_S)
    for module, limit in ((hook, "PICTURE_S"), (camera, "SNAPSHOT_S")):
        monkeypatch.setattr(module, limit, PATIENCE_S)  # a cold camera on a busy machine
    monkeypatch.delenv("INVOCATION_ID", raising=False)  # under systemd a command may restart the program: these tests
    async with receiver() as taker:
        config = home_config(
            audio=AudioConfig(card="simulated"),
            api=ApiConfig(listen="127.0.0.1:0"),
            webhook=(WebhookConfig(url=taker.url, name="shed", picture=True),),
        )
        home = Home(tmp_path, config)
        await home.start()
        try:
            async with aiohttp.ClientSession() as http:
                one = Integrated(home, taker, http)
                await home.wait_for(lambda: len(one.status["integrations"]) == 2, "the integrations to start")
                yield one
        finally:
            await home.stop()


async def test_a_press_is_told_and_a_token_opens(integrated: Integrated) -> None:
    home = integrated.home
    async with integrated.ask("GET", "/events?wait=0") as answer:
        cursor = (await answer.json())["cursor"]
    await home.press()
    came = await integrated.taker.next()
    while came.content["type"].startswith("fault_"):  # a door that a busy machine starts slowly tells of that first
        came = await integrated.taker.next()
    assert came.content["type"] == "pressed"
    assert base64.b64decode(came.content["picture"]).startswith(b"\xff\xd8")
    async with integrated.ask("GET", f"/events?after={cursor}") as answer:
        kinds = [event["type"] for event in (await answer.json())["events"]]
    assert "pressed" in kinds
    async with integrated.ask("POST", "/door/open") as answer:
        assert await answer.json() == {"open_s": home.config.door.pulse_s}
    assert home.relay_was_on()
    async with integrated.ask("GET", "/snapshot.jpg") as answer:
        assert (await answer.read()).startswith(b"\xff\xd8")


async def test_a_port_that_is_taken_is_a_fault_and_the_door_rings(tmp_path: Path) -> None:
    port = free_port()
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), api=ApiConfig(listen=f"127.0.0.1:{port}")))
    await home.start()
    try:
        door = home.door
        assert door is not None
        await home.wait_for(lambda: Part.API in door.faults.open, "the fault")
        assert "choose another in api.listen" in door.faults.open[Part.API].why
        await home.press()
        await home.until(State.RINGING)
        taken.close()
        await home.wait_for(lambda: Part.API not in door.faults.open, "the API to serve")
        assert door.handlers.status()["integrations"]["api"]["url"] == f"http://localhost:{port}"
    finally:
        taken.close()
        await home.stop()


@pytest.mark.timeout(1100)
async def test_the_document_says_what_the_door_does(integrated: Integrated, tmp_path: Path) -> None:
    """Schemathesis reads the document and asks the running door for everything in it, sensible and not."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SCHEMATHESIS)
    done = await asyncio.to_thread(schemathesis, settings, integrated.url, integrated.opener)
    assert done.returncode == 0, done.stdout + done.stderr
    assert integrated.status["integrations"]["api"]["trouble"] == ""


def schemathesis(settings: Path, url: str, token: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("schemathesis")
    words = ["--config-file", str(settings), "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {token}"]
    words += [
        "--max-examples",
        "10",
        "--seed",
        "1",
        "--no-color",
        "--continue-on-failure",
        "--phases",
        "coverage,fuzzing",
        "--request-timeout",
        "60",
    ]
    return subprocess.run(
        [program, *words], cwd=settings.parent, capture_output=True, text=True, timeout=SCHEMATHESIS_S, check=False
    )
