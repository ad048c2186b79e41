"""A real nginx in front of a space, with the configuration that docs/reverse-proxy.md tells people to copy."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from intercom.space.names import loopback_names
from intercom.space.tls.certificate import Certificate
from tests.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "reverse-proxy.md"
VIEWERS_PAGE = PAGE.with_name("viewers.md")
PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
WAIT_S = 60.0


def below_a_path(space_port: int) -> dict[str, str]:
    """The changes that the page tells people to make for a path."""
    return _location(PAGE, "nginx-below", space_port)


def ingress(space_port: int) -> dict[str, str]:
    """The changes for a path that the proxy says with each request."""
    return _location(VIEWERS_PAGE, "nginx-ingress", space_port)


def _location(page: Path, block: str, space_port: int) -> dict[str, str]:
    found = re.search(rf"```{block}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    lines = found[1].rstrip("\n").replace("127.0.0.1:8480", f"127.0.0.1:{space_port}")
    whole = f"    location / {{\n        proxy_pass http://127.0.0.1:{space_port};"
    return {whole: lines}


def documented() -> str:
    """The server block of the page."""
    found = re.search(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@contextlib.asynccontextmanager
async def nginx(directory: Path, space_port: int, *, changed: dict[str, str] | None = None) -> AsyncIterator[int]:
    """Run nginx; yields its TLS port. `changed` replaces texts of the documented configuration."""
    directory.mkdir()
    certificate = Certificate(directory, loopback_names())
    certificate.ensure(datetime.now(UTC))
    port = free_port()
    server = documented()
    replacements = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "door.example.com;": "localhost;",
        "/etc/letsencrypt/live/door.example.com/fullchain.pem": str(directory / "tls.crt"),
        "/etc/letsencrypt/live/door.example.com/privkey.pem": str(directory / "tls.key"),
        "http://127.0.0.1:8480": f"http://127.0.0.1:{space_port}",
        **(changed or {}),
    }
    for old, new in replacements.items():
        assert old in server, old
        server = server.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;"
        f"{'user root;' if os.geteuid() == 0 else ''}"
        f"events {{}} http {{ access_log off; {temporary}\n{server}\n}}"
    )
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "-e", str(directory / "error.log"), "-c", str(configuration)
    )
    try:
        async with asyncio.timeout(WAIT_S):
            while not await _answers(port):
                await asyncio.sleep(0.02)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
