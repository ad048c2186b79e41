"""The unmodified reference client in Chromium, registered at a running space; for tests and for benches.

    async with chromium() as browser, reference_space(directory) as space:
        async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
            call = await client.dial("/private/door")
            await client.reaches(call, "connected")

The page runs npm's package as it is, bundled by esbuild. It connects by `ch` alone: https://fabric.localhost:PORT and
wss://puc.localhost:PORT. TURN is coturn on loopback, which the client demands (protocol §7).
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.auth.tokens import REFRESH_SCOPE
from intercom.space.turn.coturn import TurnServer

HERE = Path(__file__).resolve().parent
BUNDLE = HERE / "build" / "page.js"

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--ignore-certificate-errors",
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,LocalNetworkAccessChecksWebRTC",
)
WAIT_S = 60.0
"""How long a step of the reference client may take before the test fails."""


def why_not() -> str:
    """What is missing on this machine to run the reference client; empty when nothing is."""
    if not Path(CHROMIUM).exists():
        return "chromium is not installed (apt install chromium)"
    if shutil.which("turnserver") is None:
        return "coturn is not installed (apt install coturn)"
    if not BUNDLE.exists() and shutil.which("npm") is None:
        return "there is no npm: `./setup.sh --test` brings one"
    return ""


def fetch_packages(directory: Path = HERE) -> None:
    """Fetch the packages that a directory's package-lock.json names, where they are not there as it names them."""
    lock, fetched = directory / "package-lock.json", directory / "node_modules" / ".package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # another share of the tests may want the same
        if not fetched.exists() or fetched.stat().st_mtime < lock.stat().st_mtime:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=5"]
            subprocess.run(command, cwd=directory, check=True, capture_output=True)


def bundle() -> str:
    """The page's script with the client in it; built, and the packages fetched, where that is still to be done."""
    sources = [HERE / "page.js", HERE / "package-lock.json"]
    if not BUNDLE.exists() or any(source.stat().st_mtime > BUNDLE.stat().st_mtime for source in sources):
        fetch_packages()
        subprocess.run(["npm", "run", "--silent", "build"], cwd=HERE, check=True, capture_output=True)
    return BUNDLE.read_text(encoding="utf-8")


@asynccontextmanager
async def chromium(*more_flags: str) -> AsyncIterator[Browser]:
    """The system's Chromium, headless, with a fake camera and microphone."""
    async with async_playwright() as playwright:
        flags = [*CHROMIUM_FLAGS, *more_flags]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=WAIT_S * 1000)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def reference_space(directory: Path, **settings: Any) -> AsyncIterator[Space]:
    """A space on a free loopback port with TLS and TURN, as the reference client needs it."""
    turn = TurnServer(directory / "turn", loopback_peers=True)
    await turn.start()
    try:
        config = SpaceConfig(**{"listen": "127.0.0.1:0", "tls": "on", **settings})
        space = Space(config, directory / "state", turn=turn)
        await space.start()
        try:
            yield space
        finally:
            await space.stop()
    finally:
        await turn.stop()


class ReferenceClient:
    """One page with the reference client, connected and registered while the context is open.

    :param reference: the subscriber that it is; made if new.
    :param groups: the groups that it joins.
    :param refreshable: whether its token allows the client-bound SAT (scope sat:refresh).
    """

    def __init__(
        self,
        browser: Browser,
        space: Space,
        reference: str,
        *,
        groups: Sequence[str] = (),
        refreshable: bool = False,
    ) -> None:
        self._browser = browser
        self._space = space
        self._subscriber = space.store.add_subscriber(reference, groups=tuple(groups))
        self._refreshable = refreshable
        self._page_url = f"https://page.localhost:{space.port}/"  # a page of this space's: it lets no other site's in
        self._context: BrowserContext | None = None
        self._rung: set[str] = set()
        self.page: Page
        self.console: list[str] = []

    async def __aenter__(self) -> Self:
        self._context = await self._browser.new_context(ignore_https_errors=True)
        self._context.set_default_timeout(WAIT_S * 1000)
        self.page = await self._context.new_page()
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(f"page error: {error}"))
        await self.page.expose_function("mintToken", self._mint)
        html, script = self._page()

        async def serve(route: Route) -> None:
            if route.request.url.endswith("page.js"):
                await route.fulfill(body=script, content_type="text/javascript")
            else:
                await route.fulfill(body=html, content_type="text/html")

        await self.page.route(f"{self._page_url}**", serve)
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._context is not None:
            await self._context.close()

    async def open(self, **options: Any) -> None:
        """Load (or reload) the page, connect and register."""
        await self.page.goto(self._page_url)
        await self._do("connect", options)

    def _page(self) -> tuple[str, str]:
        """The page and its script."""
        return (HERE / "page.html").read_text(encoding="utf-8"), bundle()

    def _mint(self, fingerprint: str) -> str:
        scope = [REFRESH_SCOPE] if self._refreshable else []
        token, expires_at = self._space.tokens.issue(
            self._subscriber, scope=scope, fingerprint=fingerprint if self._refreshable else ""
        )
        return json.dumps({"token": token, "expiry_at": expires_at * 1000})

    async def _do(self, function: str, *arguments: Any) -> Any:
        script = f"(arguments) => window.reference.{function}(...arguments)"
        try:
            return await asyncio.wait_for(self.page.evaluate(script, list(arguments)), WAIT_S)
        except TimeoutError:
            tail = "\n".join(self.console[-25:])
            raise AssertionError(f"{function} did not end within {WAIT_S} s; the page said:\n{tail}") from None

    async def state(self) -> dict[str, Any]:
        """connected, registered, incoming and calls (ids), errors, sockets (how many were opened)."""
        return dict(await self._do("state"))

    async def dial(self, destination: str, *, audio: bool = True, video: bool = True) -> str:
        """Call an address; return the call's id once the space has taken the invite."""
        options = {"audio": audio, "video": video, "receiveAudio": True, "receiveVideo": video}
        return str((await self._do("dial", destination, options))["id"])

    async def answer_calls(self, *, audio: bool = True, video: bool = True) -> None:
        """Answer every call from now on, at once."""
        await self._do("answerWith", {"audio": audio, "video": video})

    async def ringing(self) -> str:
        """Wait until a call comes in that was not returned before; return its id."""
        state = await self._until("state", lambda state: set(state["incoming"]) - self._rung, "an incoming call")
        call = str(state["incoming"][-1])
        self._rung.add(call)
        return call

    async def answer(self, call: str, *, audio: bool = True, video: bool = True) -> None:
        """Answer a call."""
        await self._do("answer", call, {"audio": audio, "video": video})

    async def reject(self, call: str) -> None:
        """Reject a call."""
        await self._do("reject", call)

    async def hangup(self, call: str) -> None:
        """Hang up."""
        await self._do("hangup", call)

    async def digits(self, call: str, digits: str) -> None:
        """Send DTMF."""
        await self._do("digits", call, digits)

    async def toggle_hold(self, call: str) -> None:
        """Hold, or resume."""
        await self._do("toggleHold", call)

    async def transfer(self, call: str, destination: str) -> None:
        """Transfer the far end to another address."""
        await self._do("transfer", call, destination)

    async def share_screen(self, call: str) -> None:
        """Press "share the screen"; nobody waits for what comes of it."""
        await self._do("shareScreen", call)

    async def ice_restart(self, call: str) -> None:
        """Restart ICE."""
        await self._do("iceRestart", call)

    async def register(self) -> None:
        """Be reachable."""
        await self._do("register")

    async def unregister(self) -> None:
        """Be reachable no more."""
        await self._do("unregister")

    async def cut(self) -> None:
        """Close the signalling socket under the client."""
        await self._do("cut")

    async def directory(self) -> list[str]:
        """The names in its directory, all pages."""
        return list(await self._do("directory"))

    async def preflight(self, destination: str, *, duration_s: float) -> dict[str, Any]:
        """Run its connectivity test with a call to `destination`; return its result."""
        return dict(await self._do("preflight", destination, {"duration": duration_s}))

    async def user(self) -> dict[str, Any]:
        """Who the client thinks it is."""
        return dict(await self._do("user"))

    async def report(self, call: str) -> dict[str, Any]:
        """Status, history and media counters of a call."""
        return dict(await self._do("report", call))

    async def members(self, call: str) -> dict[str, Any]:
        """What it knows of the members of a call."""
        return dict(await self._do("members", call))

    async def until_members(self, call: str, holds: Any, what: str) -> dict[str, Any]:
        """Wait until what it knows of the members holds."""
        return dict(await self._until("members", holds, what, call))

    async def act(self, call: str, who: str, method: str, *parameters: object) -> str:
        """Run a method of the "call", of its "self" or of the "other" member; return "done" or the error."""
        return str(await self._do("act", call, who, method, list(parameters)))

    async def heard_tone(self, call: str) -> float:
        """The strongest frequency in what it hears, Hz; 0 for silence."""
        return float(await self._do("heardTone", call))

    async def hears(self, call: str, hz: float) -> None:
        """Wait until it hears this tone; 0: nothing. A machine that stands still breaks every sound off."""
        await self._until("heardTone", lambda heard: abs(heard - hz) < 10.0, f"a tone of {hz} Hz", call)

    async def frames(self) -> list[dict[str, Any]]:
        """All frames of its sockets so far: {"from": "client" | "space", "frame": …}."""
        return list(await self._do("frames"))

    async def reaches(self, call: str, status: str) -> None:
        """Wait until the call has been in `status`."""
        await self._until(
            "report", lambda report: any(h["status"] == status for h in report["history"]), f"status {status}", call
        )

    async def modified(self, call: str) -> None:
        """Wait until the far end's answer to a new offer is applied."""
        await self._until(
            "signalling", lambda found: found["modified"] and found["state"] == "stable", "its answer", call
        )

    async def keeps_to_relays(self, call: str) -> None:
        """Wait until the call gathers relayed candidates only."""
        await self._until("signalling", lambda found: found["policy"] == "relay", "relays alone", call)

    async def until_frame(self, holds: Any, what: str) -> None:
        """Wait until a frame that `holds` has come or gone."""
        await self._until("frames", lambda frames: any(holds(each["frame"]) for each in frames), what)

    async def until_report(self, call: str, holds: Any, what: str) -> dict[str, Any]:
        """Wait until `holds(report)`; return the report."""
        return dict(await self._until("report", holds, what, call))

    async def until_state(self, holds: Any, what: str) -> dict[str, Any]:
        """Wait until `holds(state)`; return the state."""
        return dict(await self._until("state", holds, what))

    async def _until(self, function: str, holds: Any, what: str, *arguments: Any) -> Any:
        found: Any = None
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    found = await self._do(function, *arguments)
                    if holds(found):
                        return found
                    await asyncio.sleep(0.05)
        except TimeoutError:
            tail = "\n".join(self.console[-25:])
            raise AssertionError(f"the reference client never had {what}; last {found}; it said:\n{tail}") from None
