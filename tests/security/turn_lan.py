"""Who is on the network beside the space: `python -m tests.security.turn_lan router|door|thief ...`, each in its place.

Each prints one line of JSON when it is ready, or what it got, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from intercom.space.auth.credential import SpaceCredential, read_credential
from tests.turn_client import NOTHING_COMES_S, TCP, TurnClient

PORT = 7000
"""Where the router and the door send back what they get; the router's page is at port 80."""


def tell(what: Any) -> None:
    """Print a line for the test."""
    print(json.dumps(what), flush=True)


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._transport.sendto(data, address)


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.0 200 OK\r\n\r\nthe router's page")
    writer.close()


async def sign_in(credential: SpaceCredential, http: aiohttp.ClientSession) -> tuple[Any, dict[str, Any]]:
    """A registered socket with this credential, and what the space answered to its connect."""
    tls: ssl.SSLContext | bool = True
    if credential.certificate is not None:
        tls = ssl.create_default_context(cadata=credential.certificate)
    bearer = {"Authorization": f"Bearer {credential.device_secret}"}
    async with http.post(f"{credential.api_url}/api/space/token", headers=bearer, ssl=tls) as answer:
        token = (await answer.json())["token"]
    ws = await http.ws_connect(credential.relay_url, ssl=tls)
    params = {"authentication": {"jwt_token": token}, "agent": "raw/1", "event_acks": False}
    for number, (method, what) in enumerate((("signalwire.connect", params), ("subscriber.online", {}))):
        await ws.send_json({"jsonrpc": "2.0", "id": str(number), "method": method, "params": what})
    while "result" not in (connected := await ws.receive_json()):
        pass
    return ws, connected["result"]


async def stay(ws: aiohttp.ClientWebSocketResponse) -> None:
    """Answer the space's pings, as whoever reads does: it gives a socket up that does not, and its password with it."""
    async for _ in ws:
        pass


def steal(credential: SpaceCredential, given: dict[str, Any], peers: list[str]) -> dict[str, Any]:
    """What a password of the TURN server reaches: the error for each peer, or what came back from it."""
    urls = given["urls"] if isinstance(given["urls"], str) else given["urls"][0]
    host, _, port = urls.removeprefix("turn:").partition("?")[0].rpartition(":")
    address, who = (host, int(port)), (given["username"], given["credential"])
    got: dict[str, Any] = {}
    with TurnClient(address, *who) as relay:
        got["allocate"] = relay.allocate()
        for number, peer in enumerate(peers):
            error = relay.reach(peer, PORT, 0x4000 + number)
            got[peer] = error or relay.echo(b"hello", 0x4000 + number, within_s=NOTHING_COMES_S).decode()
        relay.refresh(0)
    with TurnClient(address, *who, kind=socket.SOCK_STREAM) as relay:
        got["tcp"] = relay.allocate(TCP)
        got["page"] = got["tcp"] or relay.connect(peers[0], 80)
    return got


async def main(role: str, *arguments: str) -> None:
    """Play a role until the input ends."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http:
        if role in {"router", "door"}:
            await loop.create_datagram_endpoint(_Echo, local_addr=("0.0.0.0", PORT))
        if role == "router":
            await asyncio.start_server(_page, "0.0.0.0", 80)
            tell("ready")
        else:
            credential = read_credential(Path(arguments[0]))
            assert credential is not None
            ws, connected = await sign_in(credential, http)
            staying = asyncio.create_task(stay(ws))
            tell("ready")
            if role == "thief":
                given = connected["ice_servers"][0]
                while line := await asyncio.to_thread(sys.stdin.readline):
                    tell(await asyncio.to_thread(steal, credential, given, line.split()))
            assert urlsplit(credential.relay_url).hostname and not staying.done()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
