"""A door and its space as services of their own whose secrets are all known, after a day of use and of attempts.

The secrets that a person chooses are marked; those that the services make are read where they keep them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from tests.ports import free_port
from tests.space.conftest import Client
from tests.systemd_line import SystemdLine

OPEN_DIGITS = "71946283"
TURN_SECRET = "marked-turn-secret-4mZq"
API_TOKEN = "PT" + "5e0cafe1" * 6
NOTIFY_SECRET = "marked-notify-7Hw"
WEBHOOK_SECRET = "marked-webhook-3Ux"
WEBHOOK_KEY = "bWFya2VkLXdlYmhvb2sta2V5LW9mLXRoZS1ob3VzZQ=="
MQTT_PASSWORD = "marked-mqtt-password-9Rk"
WAIT_S = 60.0
COMMAND_S = 150.0
"""Time limit of one command: `doctor` starts others, which load much."""
CONFIGURATION = f"""
state_dir = "{{folder}}/door"
[account]
credential_file = "{{folder}}/space/door.json"
[audio]
card = "simulated"
[camera]
source = "off"
[panel]
pins = "simulated"
page_listen = "127.0.0.1:{{panel}}"
[door]
open_digits = "{OPEN_DIGITS}"
[space]
listen = "127.0.0.1:{{space}}"
{{turn}}
[[notify]]
name = "hook"
url = "json://door:{NOTIFY_SECRET}@127.0.0.1:{{nobody}}/{NOTIFY_SECRET}"
events = ["ring", "missed", "answered", "opened", "fault"]
[mqtt]
url = "mqtt://127.0.0.1:{{nobody}}"
user = "door"
password_file = "{{folder}}/mqtt-password"
[api]
listen = "127.0.0.1:{{api}}"
[[webhook]]
url = "http://127.0.0.1:{{nobody}}/{WEBHOOK_SECRET}"
secret = "whsec_{WEBHOOK_KEY}"
[metrics]
listen = "127.0.0.1:{{metrics}}"
textfile = "{{folder}}/run/intercom.prom"
[log]
level = "debug"
"""
OWN_TURN = 'turn_listen = "127.0.0.1:{port}"'
ANOTHER_S_TURN = 'turn_url = "turn:127.0.0.1:{port}"\nturn_secret_file = "{folder}/turn-secret"'


@dataclass
class MarkedHouse:
    """The running services, every secret of theirs, and what others were sent."""

    folder: Path
    urls: dict[str, str]
    processes: list[int]
    secrets: dict[str, str] = field(
        default_factory=lambda: {
            "open_digits": OPEN_DIGITS,
            "TURN secret": TURN_SECRET,
            "notify URL": NOTIFY_SECRET,
            "webhook URL": WEBHOOK_SECRET,
            "webhook key": WEBHOOK_KEY,
            "MQTT password": MQTT_PASSWORD,
        }
    )
    heard: list[str] = field(default_factory=list)
    "frames and answers that went to a phone, or to whoever asked"

    def command(self, *words: str, config: bool = False) -> str:
        """What a command prints, and what it complains of."""
        place = ("--config", str(self.folder / "intercom.toml")) if config else ()
        environment = {**os.environ, "INTERCOM_SOCKET": str(self.folder / "run" / "control.sock")}
        command = [sys.executable, "-m", "intercom", *words, *place]
        done = subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )
        return done.stdout + done.stderr


@contextmanager
def marked_house(folder: Path, turn: str) -> Iterator[MarkedHouse]:
    """Start both services with this TURN server, let a day go by, and end them with the context."""
    ports = {name: free_port() for name in ("space", "panel", "metrics", "api", "nobody")}
    for name, secret in (("turn-secret", TURN_SECRET), ("mqtt-password", MQTT_PASSWORD)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(secret)
    for name in ("run", "door", "space"):
        (folder / name).mkdir(mode=0o755)
    settings = folder / "intercom.toml"
    settings.touch(mode=0o600)
    settings.write_text(CONFIGURATION.format(folder=folder, turn=turn.format(port=free_port(), folder=folder), **ports))
    house = MarkedHouse(folder, {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}, [])
    with ExitStack() as services:
        for name in ("space", "run"):
            services.enter_context(_service(house, name))
        _wait_for(house, lambda: json.loads(house.command("status", "--json")).get("registered"))
        asyncio.run(_a_day(house))
        _what_they_keep(house)
        yield house


@contextmanager
def _service(house: MarkedHouse, name: str) -> Iterator[None]:
    place = ("--state-dir", str(house.folder / "space")) if name == "space" else ()
    with SystemdLine() as line, open(house.folder / f"{name}.log", "wb", opener=_for_us_alone) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "intercom", name, "--config", str(house.folder / "intercom.toml"), *place],
            env={**os.environ, "NOTIFY_SOCKET": line.address, "RUNTIME_DIRECTORY": str(house.folder / "run")},
            stderr=log,
        )
        house.processes.append(process.pid)
        try:
            line.until("READY=1")
            yield
        finally:
            process.terminate()
            process.wait(WAIT_S)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _wait_for(house: MarkedHouse, holds: Any) -> None:
    give_up = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < give_up, (house.folder / "run.log").read_text()
        time.sleep(0.1)  # the process is not ours to be told by


async def _a_program(house: MarkedHouse, http: aiohttp.ClientSession) -> None:
    """A program gets a token of the API, uses it, and puts it where it does not belong."""
    place = ("api", "token", "add", "shed", "--role", "opener", "--state-dir", str(house.folder / "door"))
    said = await asyncio.to_thread(partial(house.command, *place, config=True))
    token = house.secrets["API token"] = said.splitlines()[0]
    api = f"{house.urls['api']}/api/v1"
    for path, header in (("/status", f"Bearer {token}"), ("/log", f"Bearer {token}"), (f"/status?{token}", token)):
        async with http.get(api + path, headers={"Authorization": header}) as answer:
            house.heard.append(await answer.text())
    house.heard.append(await asyncio.to_thread(house.command, "webhook", "test"))


async def _a_day(house: MarkedHouse) -> None:
    """A phone joins, signs in, is rung and types the code; others try what they have at the wrong places."""
    api = house.urls["space"]
    async with aiohttp.ClientSession() as http:
        code = house.secrets["pairing code"] = _printed_code(house)
        left = house.secrets["pairing code that nobody used"] = _printed_code(house)
        async with http.post(f"{api}/api/space/pair", json={"code": code, "name": "Kitchen"}) as answer:
            secret = house.secrets["phone's secret"] = (await answer.json())["device_secret"]
        mine = {"Authorization": f"Bearer {secret}"}
        async with http.post(f"{api}/api/space/token", headers=mine) as answer:
            token = house.secrets["phone's token"] = (await answer.json())["token"]
        await _attempts(house, http, left)
        await _a_program(house, http)
        phone = Client(await http.ws_connect(api.replace("http", "ws") + "/"))
        connected = (await phone.connect(token))["result"]
        house.secrets["phone's TURN password"] = connected["ice_servers"][0]["credential"]
        await phone.rpc("subscriber.online")
        calling = await asyncio.to_thread(house.command, "call")
        invite = await phone.heard("verto.invite")
        house.heard += [calling, json.dumps(invite)]
        for digit in OPEN_DIGITS:
            await phone.verto("verto.info", invite["callID"], dtmf=digit)
        await phone.verto("verto.info", invite["callID"], dtmf=OPEN_DIGITS)
        house.heard.append(await asyncio.to_thread(house.command, "hangup"))
        house.heard.append(json.dumps(await phone.heard("verto.bye")))
        house.secrets["phone's session"] = phone.state
        await phone.close()


def _printed_code(house: MarkedHouse) -> str:
    printed = house.command("space", "pair", "--state-dir", str(house.folder / "space"))
    code = re.search(r"type the code {2}(\w{5}-\w{5})$", printed, re.MULTILINE)
    assert code, printed
    return code[1]


async def _attempts(house: MarkedHouse, http: aiohttp.ClientSession, code: str) -> None:
    """Secrets where they do not belong; the answers are kept."""
    api, secrets = house.urls["space"], house.secrets
    wrong_token = secrets["phone's token"][:-4] + "AAAA"
    secret = secrets["phone's secret"]
    bearer = {"Authorization": f"Bearer {wrong_token}"}
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", f"{api}/station/?pair={code}", {}),
        ("GET", f"{api}/{secret}", {}),
        ("GET", f"{api}/station/{code}", {}),
        ("GET", f"{api}/api/fabric/addresses", {"headers": bearer}),
        ("POST", f"{api}/api/space/token", {"headers": bearer}),
        ("POST", f"{api}/api/space/pairing", {"headers": {"Authorization": f"Bearer {secret[1:]}"}}),
        ("POST", f"{api}/api/space/pair", {"data": f'{{"code": "{code}", "name": '}),
        ("POST", f"{api}/api/space/pair", {"json": {"code": code, "name": 7}}),
        ("GET", f"{api}/", {}),
        ("GET", f"{api}/api/space/hello", {}),
        ("GET", f"{api}/station/", {}),
        ("GET", f"{house.urls['metrics']}/metrics", {}),
        ("GET", f"{house.urls['panel']}/", {}),
    )
    for method, url, more in asked:
        async with http.request(method, url, **more) as answer:
            house.heard.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")
    broken = Client(await http.ws_connect(api.replace("http", "ws") + "/"))
    house.heard.append(json.dumps(await broken.connect(wrong_token)))
    await broken.close()


def _what_they_keep(house: MarkedHouse) -> None:
    """Take the secrets that the services made from where they keep them."""
    house.secrets["door's secret"] = json.loads((house.folder / "space" / "door.json").read_text())["device_secret"]
    with sqlite3.connect(house.folder / "space" / "space.sqlite3") as database:
        for key, value in database.execute("SELECT key, value FROM settings"):
            if len(value) >= 32:
                house.secrets[f"space's {key}"] = value
