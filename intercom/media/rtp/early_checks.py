"""Begins ICE's checks with the few lines of an answer that they need; the far end is asked while the rest is read.

On a small board an answer is read for as long as the far end's reply takes through the house's Wi-Fi. Like
`aiortc_hooks`, it rests on private names of aiortc 1.16 and aioice 0.13, which are pinned; a test fails when one goes.
"""

from __future__ import annotations

import asyncio

from aioice import Candidate
from aiortc import RTCIceTransport

from intercom.media.errors import SessionDescriptionError
from intercom.media.rtp.sdp import Description, is_candidate
from intercom.tasks import TaskSet

TURNS = 2
"""Turns of the loop until the first check has left: one begins to connect, the next one checks."""


async def begin_checks(transport: RTCIceTransport, answer: str) -> None:
    """Begin to check the candidates of an answer's audio, and return once the first check has left.

    Nothing begins where the answer is unusual or cannot be read: who reads all of it decides. Names are left to them
    too: to look one up takes long. An answer that is refused then ends the call, and the checks with it.
    """
    ice = transport._connection
    found = _path(answer) if transport.state == "new" else None
    if found is None:
        return
    ice.remote_username, ice.remote_password, candidates = found
    for candidate in candidates:
        await ice.add_remote_candidate(candidate)
    connecting = TaskSet(on_failure=_told_to_whoever_waits).spawn(ice.connect())
    ice.connect = lambda: connecting  # type: ignore[method-assign,assignment,return-value]  # see the module's docstring
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _told_to_whoever_waits(_error: Exception) -> None:
    """Leave an error to aiortc, which waits for the same task."""


def _path(answer: str) -> tuple[str, str, list[Candidate]] | None:
    """Return the ICE user name, password and addresses of an answer's audio; None without any of them."""
    try:
        description = Description.parse(answer)
    except SessionDescriptionError:
        return None
    audio = next((section for section in description.sections if section.kind == "audio" and section.port), None)
    if audio is None or "a=ice-lite" in description.session:
        return None
    name, password = audio.attribute("ice-ufrag"), audio.attribute("ice-pwd")
    candidates = [
        Candidate.from_sdp(line.removeprefix("a=candidate:"))
        for line in audio.lines
        if line.startswith("a=candidate:") and " udp " in line and ".local " not in line and is_candidate(line[2:])
    ]
    return (name, password, candidates) if name and password and candidates else None
