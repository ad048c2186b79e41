"""A real Home Assistant that runs, and its owner."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.integrations.mqtt.home_assistant_installed import program
from tests.ports import free_port

WAIT_S = 300.0
"""Longer than it takes to start on a loaded machine."""
CLIENT = "http://intercom.invalid/"
SIGNED_IN_S = 1800
"""How long its access token lasts."""
SETTINGS = """\
homeassistant:
  name: House
  latitude: 52.5
  longitude: 13.4
  elevation: 30
  unit_system: metric
  time_zone: Europe/Berlin
http:
  server_host: 127.0.0.1
  server_port: {port}
frontend:
lovelace:
  mode: yaml
config:
automation: !include automations.yaml
input_text:
  seen:
    max: 255
logger:
  default: warning
"""
ONBOARDING = {
    **{"version": 4, "minor_version": 1, "key": "onboarding"},
    "data": {"done": ["core_config", "analytics", "integration"]},
}
"""What is asked of a new owner, but for who they are: a weather service and others of the internet would be set up."""
_LINE = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) ")
_UNAVOIDABLE = (
    *("Skipping pip installation", "aiohttp_fast_zlib", "libturbojpeg"),
    *("is taking over", "is taking longer than", "took longer than", "from wrapping up the start up"),
    *("Timed out waiting for", "still running", "Setup timed out for", "to complete setup", "did not complete in time"),
    *("No ACK from MQTT server", "unable to keep up with pending messages"),  # how busy the machine is
)
"""What this machine lacks, and the door has no part in."""


class HomeAssistant:
    """The running program, and an owner who is signed in to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self.token = ""
        self.refresh = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # -- its life --------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start it, at a port that is free."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        automations = self.folder / "automations.yaml"
        if not automations.exists():
            automations.write_text("[]\n")
        onboarding = self.folder / ".storage/onboarding"
        if not onboarding.exists():
            onboarding.parent.mkdir()
            onboarding.write_text(json.dumps(ONBOARDING))
        (self.folder / "configuration.yaml").write_text(SETTINGS.format(port=self.port))
        found = program()
        assert found is not None
        with (self.folder / "output").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(str(found), "--config", str(self.folder), "--skip-pip"),
                stdout=output,
                stderr=output,
                env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            )
        self._http = self._http or aiohttp.ClientSession()
        await self.until(self._serves, lambda serves: serves, "Home Assistant to serve")
        if self.token:
            await self._is_up()

    async def _is_up(self) -> None:
        """Wait until all of it has started: it serves its page before its automations run and its entities are back."""
        await self.until(
            lambda: self.get("/api/config"), lambda told: bool(told) and told["state"] == "RUNNING", "it to be up"
        )

    async def _serves(self) -> bool:
        assert self._process is not None and self._http is not None
        assert self._process.returncode is None, (self.folder / "output").read_text()
        try:
            async with self._http.get(f"{self.url}/manifest.json") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self) -> None:
        """Stop it as its owner does."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def close(self) -> None:
        """Stop it for good."""
        await self.stop()
        if self._http is not None:
            await self._http.close()

    async def onboard(self) -> None:
        """Make the owner, and sign in."""
        person = {"client_id": CLIENT, "name": "Owner", "username": "owner", "password": "owner", "language": "en"}
        made = await self.post("/api/onboarding/users", person)
        form = {"client_id": CLIENT, "grant_type": "authorization_code", "code": made["auth_code"]}
        assert self._http is not None
        async with self._http.post(f"{self.url}/auth/token", data=form) as answer:
            found = await answer.json()
        self.token, self.refresh = found["access_token"], found["refresh_token"]
        await self._is_up()

    async def finds_broker(self, port: int) -> None:
        """Set up its integration MQTT, as its owner does on the page."""
        flow = await self.post("/api/config/config_entries/flow", {"handler": "mqtt"})
        place, broker = f"/api/config/config_entries/flow/{flow['flow_id']}", {"broker": "127.0.0.1", "port": port}
        # It gives the broker five seconds to answer, and then shows the form again, which its owner sends again.
        await self.until(
            lambda: self.post(place, broker), lambda made: made["type"] == "create_entry", "it to reach the broker"
        )

    @property
    def tokens(self) -> str:
        """What its page keeps in a browser of somebody who is signed in."""
        kept = {"hassUrl": self.url, "clientId": CLIENT, "access_token": self.token, "refresh_token": self.refresh}
        until = int((time.time() + SIGNED_IN_S) * 1000)
        return json.dumps({**kept, "token_type": "Bearer", "expires_in": SIGNED_IN_S, "expires": until})

    # -- what is asked of it ---------------------------------------------------------------------------

    async def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Ask it to do something."""
        assert self._http is not None
        async with self._http.post(f"{self.url}{path}", json=dict(content), headers=self._signed) as answer:
            told = await answer.text()
            assert answer.status in (200, 201), f"{path}: {answer.status} {told}"
            return await answer.json()

    async def get(self, path: str) -> Any:
        """Ask it for JSON."""
        assert self._http is not None
        async with self._http.get(f"{self.url}{path}", headers=self._signed) as answer:
            return await answer.json() if answer.status == 200 else None

    async def fetch(self, path: str) -> bytes:
        """Ask it for a file."""
        assert self._http is not None
        async with self._http.get(f"{self.url}{path}", headers=self._signed) as answer:
            return await answer.read() if answer.status == 200 else b""

    @property
    def _signed(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def calls(self, service: str, entity: str, **data: Any) -> None:
        """Call a service for an entity, as a tap on its page does."""
        domain, _, name = service.partition(".")
        await self.post(f"/api/services/{domain}/{name}", {"entity_id": entity, **data})

    async def state(self, entity: str) -> dict[str, Any]:
        """An entity's state; empty while there is none."""
        found: dict[str, Any] = await self.get(f"/api/states/{entity}") or {}
        return found

    async def states(self) -> dict[str, str]:
        """Every entity's state."""
        return {entity["entity_id"]: entity["state"] for entity in await self.get("/api/states") or []}

    async def shows(self, entity: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until an entity is as wanted."""
        found: dict[str, Any] = await self.until(
            lambda: self.state(entity), lambda state: bool(state) and holds(state), f"{entity} to be as wanted"
        )
        return found

    async def until(self, ask: Callable[[], Any], holds: Callable[[Any], bool], what: str) -> Any:
        """Wait until an answer is the wanted one."""
        give_up = time.monotonic() + WAIT_S
        while not holds(answer := await ask()):
            assert time.monotonic() < give_up, f"waited {WAIT_S:.0f} s for {what}: {answer}\n{self.complaints()}"
            await asyncio.sleep(0.1)
        return answer

    def complaints(self) -> list[str]:
        """The warnings and errors in its log."""
        logs = sorted(self.folder.glob("home-assistant.log*"))
        lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if _LINE.match(line) and not any(word in line for word in _UNAVOIDABLE)]


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncIterator[HomeAssistant]:
    """One that runs."""
    found = HomeAssistant(folder)
    try:
        await found.start()
        yield found
    finally:
        await found.close()
