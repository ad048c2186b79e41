"""A server on a loopback address, and the door's two ways to it by the name "localhost": see test_no_hosts_file.py."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from http import HTTPStatus

from websockets.asyncio.server import Request, Response, ServerConnection, serve

from intercom.signalwire.account.http import request_json
from intercom.signalwire.link.transport import open_websocket


async def greet(connection: ServerConnection) -> None:
    await connection.send("hello")


def answer(connection: ServerConnection, request: Request) -> Response | None:
    return None if "Upgrade" in request.headers else connection.respond(HTTPStatus.OK, json.dumps("hello"))


def is_unknown(name: str) -> bool:
    try:
        socket.getaddrinfo(name, 80)
    except OSError:
        return True
    return False


async def main(address: str) -> None:
    print("no name:", is_unknown("localhost"))
    async with serve(greet, address, 0, process_request=answer) as server:
        port = server.sockets[0].getsockname()[1]
        dialled = await open_websocket(f"ws://localhost:{port}")
        print("socket:", await anext(dialled.frames()))
        await dialled.close()
        print("answer:", await request_json("GET", f"http://localhost:{port}/"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
