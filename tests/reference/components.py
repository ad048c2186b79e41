"""The reference's web components in Chromium, unmodified, in one page around the reference client.

npm does not have them: they stand in the reference's repository, github.com/signalwire/signalwire-js, of which
SIGNALWIRE_JS names a clone, or the address. Their client is that repository's own, 4.0.0-rc.2, which npm lacks as well.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Locator
from playwright.async_api import TimeoutError as PageTimeoutError

from .sdk import HERE, ReferenceClient, fetch_packages, why_not

COMMIT = "0a15b95515635558b698684e0eb1e7349fac63d9"
"""The repository's state that is tried: version 4.0.0-rc.2."""
SOURCE = HERE / "build" / COMMIT
PATIENCE_S = 60.0
"""Time limit of whatever a component does; each is done in less than a second on a machine with nothing else to do."""


def why_no_components() -> str:
    """What is missing on this machine to run the components; empty when nothing is."""
    if not SOURCE.exists() and not os.environ.get("SIGNALWIRE_JS"):
        return "SIGNALWIRE_JS names no clone of github.com/signalwire/signalwire-js, and npm has no web components"
    if shutil.which("npm") is None:
        return "there is no npm: `./setup.sh --test` brings one"
    return why_not()


def check_out() -> Path:
    """Return the directory with the sources of the components, of their client and of its examples."""
    if not SOURCE.exists():
        repository = HERE / "build" / "signalwire-js.git"
        fresh = SOURCE.with_suffix(".part")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        git = ["git", "--git-dir", str(repository)]
        subprocess.run(["git", "init", "--quiet", "--bare", str(repository)], check=True)
        subprocess.run(
            [*git, "fetch", "--quiet", "--depth=1", os.environ["SIGNALWIRE_JS"], COMMIT],
            check=True,
            capture_output=True,
        )
        archive = subprocess.run(
            [*git, "archive", COMMIT, "packages", "examples"], check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "--extract", "--directory", str(fresh)], input=archive, check=True)
        fresh.rename(SOURCE)
    return SOURCE


def component_bundle() -> str:
    """The page's script with client and components in it; built where that is still to be done."""
    return built("components.js", [HERE / "components.js", HERE / "page.js"])


def client_bundle() -> str:
    """The client as the examples load it, a script that sets `SignalWire`."""
    return built("browser.umd.js", [])


def newest_bundle() -> str:
    """The script of the page with the client alone, in its newest state."""
    return built("newest.js", [HERE / "page.js"])


def built(name: str, sources: Sequence[Path]) -> str:
    """A script that components.mjs builds; built where that is still to be done."""
    bundle, sources = HERE / "build" / name, [*sources, HERE / "components.mjs", HERE / "package-lock.json"]
    if not bundle.exists() or any(source.stat().st_mtime > bundle.stat().st_mtime for source in sources):
        fetch_packages()
        build = ["node", "components.mjs", str(check_out()), name]
        subprocess.run(build, cwd=HERE, check=True, capture_output=True)
    return bundle.read_text(encoding="utf-8")


class NewestClient(ReferenceClient):
    """One page with the reference client of the repository in place of npm's."""

    def _page(self) -> tuple[str, str]:
        return super()._page()[0], newest_bundle()


class ComponentPage(ReferenceClient):
    """One page with all components, and the client that they show the calls of."""

    async def open(self, **options: Any) -> None:
        await super().open(**options)
        await self._do("furnish")

    def _page(self) -> tuple[str, str]:
        return (HERE / "components.html").read_text(encoding="utf-8"), component_bundle()

    def part(self, selector: str, text: str | None = None) -> Locator:
        """The first element with this selector, in any component, and with this text in it."""
        return self.page.locator(selector, has_text=text).first

    async def click(self, selector: str, text: str | None = None) -> None:
        """Click it."""
        await self.part(selector, text).click(timeout=PATIENCE_S * 1000)

    async def shows(self, selector: str, text: str | None = None) -> None:
        """Wait until it is to be seen, with this text in it."""
        await self.part(selector, text).wait_for(timeout=PATIENCE_S * 1000)

    async def until_evaluated(self, script: str, what: str) -> None:
        """Wait until a script of the page says yes."""
        try:
            await self.page.wait_for_function(script, timeout=PATIENCE_S * 1000)
        except PageTimeoutError:
            raise AssertionError(f"the page never had {what}") from None

    async def plays(self, component: str) -> None:
        """Wait until ten pictures more are seen in a component."""
        await self.until_evaluated(
            f"""() => {{
              const video = document.querySelector("{component}").shadowRoot.querySelector("video");
              const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
              window.framesBefore ??= {{}};
              return frames >= (window.framesBefore["{component}"] ??= frames) + 10;
            }}""",
            f"ten pictures in {component}",
        )

    async def show(self, call: str) -> None:
        """Let the components show this call."""
        await self._do("show", call)

    async def measure(self, call: str) -> None:
        """Let the audio level measure this call; one that it is shown before it has a microphone, it never measures."""
        await self._do("measure", call)

    async def give(self, selector: str, **properties: Any) -> None:
        """Set properties of a component."""
        await self._do("give", selector, properties)

    async def shows_state(self, name: str, value: bool) -> None:
        """Wait until the control bar shows it."""
        bar = "document.querySelector('sw-call-controls').shadowRoot.querySelector('sw-ui-control-bar')"
        await self.until_evaluated(f"() => {bar}.{name} === {str(value).lower()}", f"{name} {value}")

    async def until_members(self, call: str, holds: Any, what: str) -> dict[str, Any]:
        """Wait until `holds` of the call's participants, by their names, as the client knows them; return them."""
        return dict(await self._until("members", holds, what, call))

    def token(self) -> str:
        """A token for a component that has a client of its own."""
        return str(json.loads(self._mint(""))["token"])

    async def microphone(self, call: str) -> str:
        """The label of the microphone that the call sends."""
        return str(await self._do("microphone", call))
