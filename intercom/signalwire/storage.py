"""Keeps the client's data between runs: small texts under names, in a file that only its owner can read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

import msgspec

from intercom import atomic_file
from intercom.signalwire.errors import StorageError

MAX_FILE_BYTES = 1024 * 1024
"""Size limit of the file: resume data, a key and some device choices take a few kilobytes."""
KEY_PREFIX = "sw:"
"""Prefix of all names that the client keeps; `SignalWire.reset_to_defaults` removes these."""


class Storage(Protocol):
    """Keeps texts under names. Every method may raise `StorageError`; the client then goes on without."""

    async def get(self, key: str) -> str | None:
        """Return the text under `key`, or None."""

    async def set(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""

    async def remove(self, key: str) -> None:
        """Forget `key`; nothing happens if it is not there."""

    async def keys(self) -> list[str]:
        """Return all names."""


class MemoryStorage:
    """Keeps texts in memory, until the process ends."""

    def __init__(self) -> None:
        self._items: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        """Return the text under `key`, or None."""
        return self._items.get(key)

    async def set(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""
        self._items[key] = value

    async def remove(self, key: str) -> None:
        """Forget `key`."""
        self._items.pop(key, None)

    async def keys(self) -> list[str]:
        """Return all names."""
        return list(self._items)


class FileStorage:
    """Keeps everything in one JSON file, mode 0600, replaced atomically.

    A file that cannot be read as ours is an error at the first use, and stays as it is until something is set.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = asyncio.Lock()

    async def get(self, key: str) -> str | None:
        """Return the text under `key`, or None."""
        async with self._lock:
            return (await asyncio.to_thread(self._load)).get(key)

    async def set(self, key: str, value: str) -> None:
        """Keep `value` under `key`; an equal one costs no write."""
        await self._change(key, value)

    async def remove(self, key: str) -> None:
        """Forget `key`."""
        await self._change(key, None)

    async def keys(self) -> list[str]:
        """Return all names."""
        async with self._lock:
            return list(await asyncio.to_thread(self._load))

    async def _change(self, key: str, value: str | None) -> None:
        async with self._lock:
            await asyncio.to_thread(self._replace, key, value)

    def _load(self) -> dict[str, str]:
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_FILE_BYTES), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"{self._path} cannot be read: {error.strerror}.") from error
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise StorageError(f"{self._path} is damaged; it is replaced when something new is kept.") from error

    def _replace(self, key: str, value: str | None) -> None:
        try:
            items = self._load()
        except StorageError:
            items = {}
        if items.get(key) == value:
            return
        if value is None:
            del items[key]
        else:
            items[key] = value
        try:
            atomic_file.replace(self._path, msgspec.json.encode(items))
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}.") from error
