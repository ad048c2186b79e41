"""Keeps the data that resumes a session in another process: its sealed state and its calls."""

from __future__ import annotations

import logging

import msgspec
from msgspec import Struct

from intercom.signalwire.call.media_options import MediaOptions
from intercom.signalwire.errors import StorageError
from intercom.signalwire.observable import task_failed
from intercom.signalwire.storage import Storage
from intercom.signalwire.wire.events import Resume
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

RESUME_KEY = "sw:resume"
CALLS_KEY = "sw:calls"


class KnownCall(Struct, frozen=True):
    """A call in progress, which a later process may resume."""

    id: str
    node_id: str = ""
    to: str = ""
    audio: bool = True
    video: bool = False
    receive_audio: bool = True
    receive_video: bool = False

    @property
    def media(self) -> MediaOptions:
        """The media that the call sends and receives."""
        return MediaOptions(self.audio, self.video, self.receive_audio, self.receive_video)


class ResumeStore:
    """Writes the resume data in the background; if data comes faster than it is written, only the newest."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._unkept: dict[str, str | None] = {}
        self._keeping = False
        self._background = TaskSet(task_failed)

    async def load(self) -> tuple[Resume | None, list[KnownCall]]:
        """Return the resume data of the last session."""
        try:
            resume = await self.storage.get(RESUME_KEY)
            calls = await self.storage.get(CALLS_KEY)
            return (
                msgspec.json.decode(resume, type=Resume) if resume else None,
                msgspec.json.decode(calls, type=list[KnownCall]) if calls else [],
            )
        except (StorageError, msgspec.MsgspecError) as error:
            logger.warning("The last session cannot be resumed: %s", error)
            return None, []

    def keep_resume(self, resume: Resume | None) -> None:
        """Keep the session's resume state; None: forget it."""
        if resume is None or resume.protocol:
            self._keep(RESUME_KEY, msgspec.json.encode(resume).decode() if resume else None)

    def keep_calls(self, calls: list[KnownCall]) -> None:
        """Keep the list of calls in progress."""
        self._keep(CALLS_KEY, msgspec.json.encode(calls).decode() if calls else None)

    async def flush(self) -> None:
        """Wait until all data is written."""
        await self._background.finish()

    def _keep(self, key: str, value: str | None) -> None:
        self._unkept[key] = value
        if not self._keeping:
            self._keeping = True
            self._background.spawn(self._keep_all())

    async def _keep_all(self) -> None:
        try:
            while self._unkept:
                key, value = self._unkept.popitem()
                await self._store(key, value)
        finally:
            self._keeping = False

    async def _store(self, key: str, value: str | None) -> None:
        try:
            if value is None:
                await self.storage.remove(key)
            else:
                await self.storage.set(key, value)
        except StorageError as error:
            logger.warning("The session may not be resumed after a restart: %s", error)
