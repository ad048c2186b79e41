"""A door and its space as services of their own whose secrets are all known, after a day of use and of attempts.

The secrets that a person chooses are marked; those that the services make are read where they keep them.
"""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intercom.integrations.rtsp.accounts import Accounts
from tests.integrations.mqtt import mosquitto
from tests.integrations.mqtt.certificates import Authority
from tests.ports import free_port
from tests.systemd_line import SystemdLine

OPEN_DIGITS = "71946283"
TURN_SECRET = "marked-turn-secret-4mZq"
API_TOKEN = "PT" + "5e0cafe1" * 6
NOTIFY_SECRET = "marked-notify-7Hw"
WEBHOOK_SECRET = "marked-webhook-3Ux"
WEBHOOK_KEY = "bWFya2VkLXdlYmhvb2sta2V5LW9mLXRoZS1ob3VzZQ=="
MQTT_PASSWORD = "marked-mqtt-password-9Rk"
PUSH_SECRET = "marked-push-endpoint-6Tv"
ENCRYPTED = ("space", "api")
SERVED = ("space", "trust", "panel", "metrics", "api", "rtsp", "onvif", "broker", "nobody")
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
tls = "on"
trust_port = {{trust}}
push_servers = ["127.0.0.1:{{nonsense}}"]
{{turn}}
[[notify]]
name = "hook"
url = "json://door:{NOTIFY_SECRET}@127.0.0.1:{{nobody}}/{NOTIFY_SECRET}"
events = ["ring", "missed", "answered", "opened", "fault"]
[mqtt]
url = "mqtt://127.0.0.1:{{broker}}"
user = "door"
password_file = "{{folder}}/mqtt-password"
[api]
listen = "127.0.0.1:{{api}}"
tls = "on"
certificate = "{{folder}}/certificates/api.pem"
key = "{{folder}}/certificates/api.key"
[rtsp]
listen = "127.0.0.1:{{rtsp}}"
sound = true
[onvif]
listen = "127.0.0.1:{{onvif}}"
[[webhook]]
url = "http://127.0.0.1:{{nobody}}/{WEBHOOK_SECRET}"
secret = "whsec_{WEBHOOK_KEY}"
[[webhook]]
name = "nonsense"
url = "http://127.0.0.1:{{nonsense}}/{WEBHOOK_SECRET}"
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
    ports: dict[str, int]
    processes: list[int]
    secrets: dict[str, str] = field(
        default_factory=lambda: {
            "open_digits": OPEN_DIGITS,
            "TURN secret": TURN_SECRET,
            "notify URL": NOTIFY_SECRET,
            "webhook URL": WEBHOOK_SECRET,
            "webhook key": WEBHOOK_KEY,
            "MQTT password": MQTT_PASSWORD,
            "push endpoint": PUSH_SECRET,
        }
    )
    heard: list[str] = field(default_factory=list)
    "frames and answers that went to a phone, or to whoever asked"

    def url(self, name: str) -> str:
        """Where a server of theirs is asked."""
        return f"{'https' if name in ENCRYPTED else 'http'}://127.0.0.1:{self.ports[name]}"

    def trust(self) -> ssl.SSLContext:
        """What a client trusts in this house: the space's CA, and that of the owner's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for file in (self.folder / "space" / "ca.crt", self.folder / "certificates" / "ca.pem"):
            context.load_verify_locations(file)
        return context

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
    """Start both services with this TURN server, and end them with the context."""
    ports = {name: free_port() for name in SERVED}
    for name, secret in (("turn-secret", TURN_SECRET), ("mqtt-password", MQTT_PASSWORD)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(secret)
    for name in ("run", "door", "space"):
        (folder / name).mkdir(mode=0o755)
    _, key = Authority(folder / "certificates").signs("api")
    key.chmod(0o600)
    Accounts(folder / "door").add("nvr", talk=True, opens=True)
    house = MarkedHouse(folder, ports, [])
    with ExitStack() as services:
        ports["nonsense"] = services.enter_context(_nonsense())
        services.enter_context(_broker(house))
        settings = folder / "intercom.toml"
        settings.touch(mode=0o600)
        turn = turn.format(port=free_port(), folder=folder)
        settings.write_text(CONFIGURATION.format(folder=folder, turn=turn, **ports))
        for name in ("space", "run"):
            services.enter_context(_service(house, name))
        _wait_for(house, lambda: json.loads(house.command("status", "--json")).get("registered"))
        yield house


class _Nonsense(socketserver.BaseRequestHandler):
    """Answers as no HTTP server does."""

    def handle(self) -> None:
        self.request.recv(65_536)
        self.request.sendall(b"HTTP/1.1 what was the question\r\n\r\n")


@contextmanager
def _nonsense() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Nonsense) as server:
        thread = threading.Thread(target=server.serve_forever, name="nonsense")
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(WAIT_S)


@contextmanager
def _broker(house: MarkedHouse) -> Iterator[None]:
    """A broker that does not know the door: it hears the password, and refuses."""
    settings = house.folder / "mosquitto.conf"
    lines = (f"listener {house.ports['broker']} 127.0.0.1", "persistence false", "user root", "log_dest stderr")
    settings.write_text("\n".join((*lines, "allow_anonymous false", "")))
    program = shutil.which("mosquitto", path=mosquitto.PATH) or "mosquitto"
    with open(house.folder / "mosquitto.log", "wb", opener=_for_us_alone) as log:
        broker = subprocess.Popen([program, "-c", str(settings)], stderr=log)
        try:
            yield
        finally:
            broker.terminate()
            broker.wait(WAIT_S)


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


def what_they_keep(house: MarkedHouse) -> None:
    """Take the secrets that the services made from where they keep them, which nobody else can read."""
    space, door = house.folder / "space", house.folder / "door"
    house.secrets["door's secret"] = json.loads((space / "door.json").read_text())["device_secret"]
    house.secrets["recorder's password"] = json.loads(_kept(door / "recorders.json"))["nvr"]["password"]
    for name, file in (
        ("space's CA", space / "ca.key"),
        ("space's certificate", space / "tls.key"),
        ("API's CA", door / "api" / "ca.key"),
        ("API's own certificate", door / "api" / "tls.key"),
        ("owner's certificate", house.folder / "certificates" / "api.key"),
    ):
        house.secrets[f"key of the {name}"] = _inner(_kept(file))
    _kept(space / "space.sqlite3")
    with closing(sqlite3.connect(space / "space.sqlite3")) as database:
        for key, value in database.execute("SELECT key, value FROM settings"):
            if len(value) >= 32:
                house.secrets[f"space's {key}"] = _inner(value)
    for configuration in space.rglob("turn.conf"):
        written = dict(line.partition("=")[::2] for line in _kept(configuration).splitlines())
        house.secrets["coturn's console"] = written["cli-password"]
        _kept(Path(written["userdb"]))
        with closing(sqlite3.connect(written["userdb"])) as database:
            for number, (value,) in enumerate(database.execute("SELECT value FROM turn_secret")):
                house.secrets[f"coturn's secret {number}"] = value


def _kept(file: Path) -> str:
    """Read a file of secrets, which is its owner's alone."""
    assert file.stat().st_mode & 0o077 == 0, file
    return file.read_text(errors="replace")


def _inner(secret: str) -> str:
    """The line of a private key as PEM that no other key has, so that it is found however the lines are put."""
    return secret.splitlines()[2] if secret.startswith("-----BEGIN") else secret
