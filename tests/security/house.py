"""A real space in a process of its own, and the machines around it: each loopback address stands for one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.space.conftest import Client

SPACE = """
import asyncio, json, sys
from pathlib import Path
from intercom.config import SpaceConfig
from intercom.service.run import log_to_stderr
from intercom.space import Space

async def serve(directory, settings):
    space = Space(SpaceConfig(**{"listen": "127.0.0.1:0", **settings}), directory)
    await space.start()
    space.write_credential("door", directory / "door.json", display_name="Front door")
    told = {"url": space.url, "relay_url": space.relay_url, "port": space.port}
    told["trust_port"] = space.trust_page.port
    told["code"] = space.invite().code
    told["token"] = space.tokens.issue(space.store.add_subscriber("kitchen", groups=("house",)))[0]
    told["secret"] = json.loads((directory / "door.json").read_text())["device_secret"]
    print(json.dumps(told), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await space.stop()

log_to_stderr("info")
asyncio.run(serve(Path(sys.argv[1]), json.loads(sys.argv[2])))
"""


@dataclass
class AttackedHouse:
    """The running space."""

    pid: int
    url: str
    relay_url: str
    port: int
    trust_port: int
    "Port of the page /trust; 0 without TLS."
    code: str
    "A pairing code that is open."
    token: str
    "The kitchen's token."
    secret: str
    "The door's secret."
    log: Path

    @property
    def descriptors(self) -> int:
        """Open files of its process."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def log_lines(self) -> list[str]:
        """What it has logged."""
        return self.log.read_text().splitlines()

    def machine(self, address: str) -> aiohttp.ClientSession:
        """Whatever runs on another machine, for HTTP and sockets; it trusts any certificate."""
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=(address, 0), ssl=trust, family=2, force_close=True),
            timeout=aiohttp.ClientTimeout(total=60),
        )

    async def member(self, http: aiohttp.ClientSession) -> Client:
        """The kitchen, registered."""
        client = Client(await http.ws_connect(self.relay_url))
        assert "result" in await client.connect(self.token)
        assert "result" in await client.rpc("subscriber.online")
        return client

    async def raw(self, address: str, port: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection from a machine, to the space unless another port is named."""
        return await asyncio.open_connection("127.0.0.1", port or self.port, local_addr=(address, 0))


@contextlib.asynccontextmanager
async def attacked_house(**settings: Any) -> AsyncIterator[AttackedHouse]:
    """A space in a process of its own; it ends with the context."""
    with tempfile.TemporaryDirectory(prefix="attacked-") as name:
        directory = Path(name)
        log = directory / "log"
        with log.open("wb") as written:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                SPACE,
                str(directory / "state"),
                json.dumps(settings),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=written,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = json.loads(await process.stdout.readline())
            yield AttackedHouse(pid=process.pid, log=log, **told)
        finally:
            process.stdin.close()
            await process.wait()
