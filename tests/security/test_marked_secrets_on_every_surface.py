"""Walks every surface with marked secrets: what anybody may see, send in a bug report or read shows none of them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.security.marked_day import a_day
from tests.security.marked_house import (
    ANOTHER_S_TURN,
    API_TOKEN,
    MQTT_PASSWORD,
    NOTIFY_SECRET,
    OPEN_DIGITS,
    OWN_TURN,
    WEBHOOK_KEY,
    WEBHOOK_SECRET,
    MarkedHouse,
    marked_house,
    what_they_keep,
)

pytestmark = pytest.mark.timeout(900)
"""Some surfaces are twenty commands, one after another, and each is a Python that starts."""

READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@pytest.fixture(scope="module", params=[OWN_TURN, ANOTHER_S_TURN], ids=["own TURN", "another's TURN"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarkedHouse]:
    with marked_house(tmp_path_factory.mktemp("house"), request.param) as running:
        asyncio.run(a_day(running))
        what_they_keep(running)
        yield running


def of_process(pid: int, file: str) -> str:
    """What the kernel shows of a process; nothing of one that has ended meanwhile, as those that notify do."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = of_process(pid, f"task/{pid}/children").split()
    return [pid, *(below for child in children for below in descendants(int(child)))]


def of_processes(house: MarkedHouse, file: str) -> str:
    return "\n".join(of_process(pid, file) for service in house.processes for pid in descendants(service))


def bundle(house: MarkedHouse) -> str:
    file = house.folder / "bundle.tar.gz"
    file.unlink(missing_ok=True)
    house.command("diagnostics", "-o", str(file))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(file.read_bytes()))) as tar:
        return "\n".join(
            f"{entry.name}\n{content.read().decode()}"
            for entry in tar
            if (content := tar.extractfile(entry)) is not None
        )


def files_that_others_can_read(house: MarkedHouse) -> str:
    handed_over = house.folder / "space" / "door.json"
    assert handed_over.stat().st_mode & 0o777 == 0o640
    shown = []
    for file in house.folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # it is being replaced
            if file.is_file() and file != handed_over and file.stat().st_mode & READABLE_BY_OTHERS:
                shown.append(f"{file}\n{file.read_text(errors='replace')}")
    return "\n".join(shown)


def complaints(house: MarkedHouse) -> str:
    """What `config check` says of secrets that are wrong, and of secrets where none belong."""
    file = house.folder / "wrong.toml"
    said = []
    token, viewer, password, key = (
        house.secrets[name] for name in ("API token", "viewer's token", "recorder's password", "key of the space's CA")
    )
    for text in (
        f'[door]\nopen_digits = "{OPEN_DIGITS}x"',
        f"[door]\nopen_digits = {OPEN_DIGITS}",
        f"[door]\nopen_digits = {OPEN_DIGITS}x",
        f'[door]\nopen_digit = "{OPEN_DIGITS}"',
        f'[doors]\nopen_digits = "{OPEN_DIGITS}"',
        f'[account]\ncredential = "{API_TOKEN}"',
        f'[account]\napi_token = "{API_TOKEN}"',
        f'[space]\nturn_url = "turn:user:{house.secrets["TURN secret"]}@127.0.0.1"',
        f'[[notify]]\nurl = "{NOTIFY_SECRET}"',
        f"[[notify]]\nurl = json://{NOTIFY_SECRET}",
        f'[[notify]]\nurls = "json://{NOTIFY_SECRET}"',
        f'[notify]\nurl = "json://{NOTIFY_SECRET}"',
        f'[[notify]]\nurl = "jsn://{NOTIFY_SECRET}"',
        f'[mqtt]\nurl = "mqtts://door:{MQTT_PASSWORD}@broker"',
        f'[mqtt]\npassword = "{MQTT_PASSWORD}"',
        f'[space]\nturn_secret = "{house.secrets["TURN secret"]}"',
        f"[api]\nlisten = {token}",
        f'[webhook]\nsecret = "whsec_{WEBHOOK_KEY}"',
        f"""
        [account]
        credential = "{token}"
        [api]
        token = "{token}"
        [rtsp]
        listen = "rtsp://nvr:{password}@127.0.0.1:8554"
        [onvif]
        password = "{password}"
        [space]
        embed_allowed = ["https://frigate:{viewer}@127.0.0.1"]
        key = "-----BEGIN PRIVATE KEY-----{key}"
        [[webhook]]
        url = "127.0.0.1/{WEBHOOK_SECRET}"
        [[webhook]]
        url = "http://127.0.0.1/"
        secret = "{WEBHOOK_KEY}"
        [[webhook]]
        url = "http://127.0.0.1/"
        events = ["whsec_{WEBHOOK_KEY}"]
        """,
    ):
        file.touch(mode=0o600)
        file.write_text(text)
        said.append(house.command("config", "check", str(file)))
        assert "line " in said[-1], said[-1]
    return "\n".join(said)


def of_a_door_with_a_projects_token(house: MarkedHouse) -> str:
    """What is said of a door whose credential file holds an API token in place of a subscriber's."""
    file = house.folder / "token"
    file.touch(mode=0o600)
    file.write_text(API_TOKEN)
    config = house.folder / "signalwire.toml"
    config.write_text(f'[account]\ncredential = "token-file"\ncredential_file = "{file}"\n')
    return house.command("config", "check", str(config)) + house.command("doctor", "--config", str(config))


SURFACES: dict[str, Callable[[MarkedHouse], str]] = {
    "intercom status": lambda house: house.command("status"),
    "intercom status --json": lambda house: house.command("status", "--json"),
    "intercom calls": lambda house: house.command("calls") + house.command("calls", "--json"),
    "intercom faults": lambda house: house.command("faults") + house.command("faults", "--json"),
    "intercom notify test": lambda house: house.command("notify", "test"),
    "intercom webhook test": lambda house: house.command("webhook", "test"),
    "intercom devices": lambda house: house.command("devices", "--json"),
    "intercom metrics": lambda house: house.command("metrics"),
    "intercom log": lambda house: house.command("log", "-n", "1000"),
    "intercom doctor": lambda house: house.command("doctor", config=True),
    "intercom doctor --json": lambda house: house.command("doctor", "--json", config=True),
    "intercom diagnostics": bundle,
    "intercom config check": lambda house: house.command("config", "check", str(house.folder / "intercom.toml")),
    "intercom config check of wrong secrets": complaints,
    "intercom doctor of a wrong credential": of_a_door_with_a_projects_token,
    "intercom space devices": lambda house: house.command(
        "space", "devices", "--json", "--state-dir", str(house.folder / "space")
    ),
    "intercom space viewer list": lambda house: house.command(
        "space", "viewer", "list", "--json", "--state-dir", str(house.folder / "space")
    ),
    "intercom recorder list": lambda house: house.command("recorder", "list", "--json", config=True),
    "intercom api token list": lambda house: house.command("api", "token", "list", "--json", config=True),
    "the door's log at its most talkative": lambda house: (house.folder / "run.log").read_text(),
    "the space's log at its most talkative": lambda house: (house.folder / "space.log").read_text(),
    "command lines": lambda house: of_processes(house, "cmdline"),
    "environments": lambda house: of_processes(house, "environ"),
    "files that others can read": files_that_others_can_read,
    "what a phone and strangers were sent": lambda house: "\n".join(house.heard),
}
SAYS = {
    "intercom status": "eady",
    "intercom calls": "/private/house",
    "intercom log": "The call with",
    "intercom notify test": "hook: did not arrive",
    "intercom webhook test": "nonsense",
    "intercom doctor": "this user may not connect",
    "intercom diagnostics": "open_digits",
    "intercom space viewer list": "frigate",
    "intercom recorder list": "nvr",
    "intercom api token list": "shed",
    "the door's log at its most talkative": "DEBUG",
    "the space's log at its most talkative": "Kitchen cannot be woken by push",
    "command lines": "-m\0intercom",
    "files that others can read": "intercom.prom",
    "what a phone and strangers were sent": "caller_id_number",
}
"""What each must hold, to be the surface that is meant."""


@pytest.mark.parametrize("surface", SURFACES)
def test_no_secret_is_on_any_surface(house: MarkedHouse, surface: str) -> None:
    shown = SURFACES[surface](house)
    assert SAYS.get(surface, "") in shown
    assert shown
    assert [name for name, secret in house.secrets.items() if secret in shown] == []


def test_every_secret_is_in_use(house: MarkedHouse) -> None:
    assert {
        "open_digits",
        "TURN secret",
        "notify URL",
        "webhook URL",
        "webhook key",
        "MQTT password",
        "push endpoint",
        "push subscription's auth",
        "push subscription's p256dh",
        "pairing code",
        "pairing code that nobody used",
        "phone's secret",
        "phone's token",
        "phone's session",
        "phone's TURN password",
        "door's secret",
        "API token",
        "viewer's token",
        "recorder's password",
        "space's api_token",
        "space's signing_key",
        "space's vapid_key",
        "key of the space's CA",
        "key of the space's certificate",
        "key of the API's CA",
        "key of the API's own certificate",
        "key of the owner's certificate",
    } <= set(house.secrets)
    own = "turn_listen" in (house.folder / "intercom.toml").read_text()
    assert ({"coturn's console", "coturn's secret 0"} <= set(house.secrets)) == own
    assert all(len(secret) >= 8 for secret in house.secrets.values()), json.dumps(house.secrets)
