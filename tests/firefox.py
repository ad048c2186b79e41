"""Debian's Firefox ESR without a screen, driven by WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/)."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAM = "/usr/bin/firefox-esr"
START_S = 120.0
"""Time limit of Firefox's start, which a busy machine does with many others."""
PATIENCE_S = 60.0
STILL_LOOKS = 25
"""Looks, 20 ms apart, at which a target stands where it stood: a page that is still drawn moves it under the finger."""
PREFERENCES: Mapping[str, bool | int | str] = {
    "alerts.useSystemBackend": False,  # there is no desktop that would show a notification
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class FirefoxPage:
    """One tab. Belongs to the event loop that opened it."""

    def __init__(self, socket: ClientConnection, context: str) -> None:
        self._socket = socket
        self._context = context
        self._last = 0

    async def goto(self, url: str) -> None:
        """Load a page and wait until it is loaded."""
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited: a text, number, truth value or null."""
        answer = await self._ask(
            "script.evaluate", expression=expression, target={"context": self._context}, awaitPromise=True
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true; looked at once per animation frame."""
        held = await self.evaluate(
            f"""new Promise((resolve) => {{
                const end = performance.now() + {PATIENCE_S * 1000:.0f};
                const look = () => {{
                    if ({expression}) resolve(true);
                    else if (performance.now() > end) resolve(false);
                    else setTimeout(look, 20);
                }};
                look();
            }})"""
        )
        assert held, f"not true within {PATIENCE_S:g} s: {expression}"

    async def text(self, selector: str) -> str:
        """Return what an element says to people; an empty text while it is hidden."""
        said = await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        return str(said)

    async def tap(self, selector: str) -> None:
        """Tap the middle of an element, as a finger does, once nothing moves it: the browser takes it for one."""
        place = str(
            await self.evaluate(
                f"""new Promise((resolve) => {{
                    const end = performance.now() + {PATIENCE_S * 1000:.0f};
                    let before = "", still = 0;
                    const look = () => {{
                        const target = document.querySelector({json.dumps(selector)}); // it may be drawn anew
                        target?.scrollIntoView({{ block: "center", behavior: "instant" }});
                        const box = target?.getBoundingClientRect() ?? new DOMRect();
                        const place = [box.x + box.width / 2, box.y + box.height / 2].map(Math.round);
                        const reached = target?.contains(document.elementFromPoint(...place));
                        still = reached && before === place.join() ? still + 1 : 0;
                        before = place.join();
                        if (still >= {STILL_LOOKS}) resolve(before);
                        else if (performance.now() > end) resolve("");
                        else setTimeout(look, 20);
                    }};
                    look();
                }})"""
            )
        )
        assert place, f"nobody can tap {selector} where it is, or it moves without end"
        x, y = (int(number) for number in place.split(","))
        moves = [
            {"type": "pointerMove", "x": x, "y": y, "origin": "viewport"},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        actions = [{"type": "pointer", "id": "finger", "parameters": {"pointerType": "mouse"}, "actions": moves}]
        await self._ask("input.performActions", context=self._context, actions=actions)

    async def _ask(self, method: str, **params: Any) -> Any:
        self._last += 1
        return await ask(self._socket, self._last + 100, method, **params)


async def ask(socket: ClientConnection, number: int, method: str, **params: Any) -> Any:
    """Send one BiDi command and return its result."""
    await socket.send(json.dumps({"id": number, "method": method, "params": params}))
    async with asyncio.timeout(PATIENCE_S + 10):
        while (message := json.loads(await socket.recv())).get("id") != number:
            pass
    assert message["type"] == "success", f"{method}: {message.get('message')}"
    return message["result"]


@asynccontextmanager
async def firefox(
    *,
    trust_everything: bool = False,
    preferences: Mapping[str, bool | int | str] = {},
    files: Mapping[str, str | bytes] = {},
) -> AsyncIterator[FirefoxPage]:
    """Start Firefox with a profile of its own, give its one tab, and end it.

    :param trust_everything: take any certificate, as after a visit to the warning page; else only known ones.
    :param preferences: about:config entries beside `PREFERENCES`.
    :param files: texts, or bytes, that stand in the profile from the start.
    """
    with tempfile.TemporaryDirectory(prefix="firefox-") as folder:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**PREFERENCES, **preferences}.items()
        ]
        for name, text in {"user.js": "".join(lines), **files}.items():
            Path(folder, name).write_bytes(text.encode() if isinstance(text, str) else text)
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "--headless",
            "--no-remote",
            "--remote-debugging-port=0",
            "--profile",
            folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        drain: asyncio.Task[bytes] | None = None
        try:
            async with asyncio.timeout(START_S):
                url = await _where(process.stderr)
            drain = asyncio.create_task(process.stderr.read())
            # A browser that is still starting, or busy, answers neither the handshake nor a ping at once.
            async with connect(f"{url}/session", max_size=None, open_timeout=START_S, ping_interval=None) as socket:
                capabilities = {"alwaysMatch": {"acceptInsecureCerts": trust_everything}}
                await ask(socket, 1, "session.new", capabilities=capabilities)
                tab = await ask(socket, 2, "browsingContext.create", type="tab")
                yield FirefoxPage(socket, tab["context"])
        finally:
            process.kill()
            await process.wait()
            if drain is not None:
                await drain


async def _where(errors: asyncio.StreamReader) -> str:
    """Return the WebSocket address that Firefox says it listens at."""
    said = ""
    while line := (await errors.readline()).decode(errors="replace"):
        said += line
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
            return found[1]
    raise RuntimeError(f"Firefox ended at once and said: {said}")
