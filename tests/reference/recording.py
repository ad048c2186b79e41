"""Records what the reference client says while it follows a script of `transcript`.

python -m tests.reference.recording        # records it anew (Chromium, coturn)
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from .sdk import ReferenceClient, chromium, reference_space
from .transcript import SCRIPTS, TRANSCRIPTS, Step, follow


class ReferenceActor(ReferenceClient):
    """The reference client, led by the script: calls without a picture, and a socket that is cut from outside."""

    async def __aenter__(self) -> ReferenceActor:
        self._may_open = False
        await super().__aenter__()
        self._may_open = True
        return self

    async def open(self, **options: Any) -> None:
        """Nothing at first: the script says when."""
        if self._may_open:
            await super().open(**options)

    async def start(self) -> None:
        """Connect and register."""
        await self.open()

    async def dial(self, destination: str, *, audio: bool = True, video: bool = False) -> str:
        """Call an address with sound."""
        return await super().dial(destination, audio=audio, video=video)

    async def answer(self, call: str, *, audio: bool = True, video: bool = False) -> None:
        """Answer with sound."""
        await super().answer(call, audio=audio, video=video)

    async def comes_back(self, sockets: int) -> None:
        """Wait until it is registered on its nth socket."""
        await self.until_state(
            lambda state: state["sockets"] == sockets and state["registered"], f"socket {sockets}, registered"
        )


async def record(script: str) -> list[Step]:
    """What the reference client says now."""
    with tempfile.TemporaryDirectory(prefix="transcript-") as directory:
        async with (
            reference_space(Path(directory)) as space,
            chromium() as browser,
            ReferenceActor(browser, space, "tablet", refreshable=script == "bound") as actor,
        ):
            return await follow(space, actor, "tablet", script)


async def record_all() -> None:
    """Write every transcript anew."""
    TRANSCRIPTS.mkdir(exist_ok=True)
    for script in SCRIPTS:
        text = json.dumps(await record(script), indent=1, ensure_ascii=False)
        (TRANSCRIPTS / f"{script}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(record_all())
