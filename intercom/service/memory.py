"""Limit the memory of the door's process on a small machine, and the pauses of Python's garbage collector."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from intercom.later import import_without

M_ARENA_MAX: Final = -8
"""Parameter of glibc's malloc.h: the limit of arenas."""
ARENAS: Final = 1
"""Limit of malloc's arenas: glibc gives one to every thread, and the door's dozen threads take turns anyhow."""

MADV_DONTNEED: Final = 4
"""Advice of Linux' mman.h to drop pages."""
MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)")

UNUSED_OF_NUMPY_1: Final = tuple(
    f"numpy.{name}" for name in ("core._add_newdocs", "core.defchararray", "ma", "polynomial", "random")
)
"""What NumPy 1 imports for others, its help too; NumPy 2 waits with most of it by itself."""
UNUSED: Final = {
    "websockets.version": ("importlib.metadata",),
    "reactivex": tuple(
        f"reactivex.scheduler.{kind}"
        for kind in ("catchscheduler", "eventloop", "historicalscheduler", "timeoutscheduler")
    ),
}
"""What these libraries import for a version that is not released, and for other event loops and clocks than ours."""

PASSING: Final = "/etc/ld.so.cache"
"""File that the loader maps while it looks for a library: its place may be another's before its pages are dropped."""
WRITTEN: Final = ("Private_Dirty:", "Anonymous:", "Swap:")
"""Fields of smaps that count pages which no longer match their file."""


def stay_small() -> None:
    """Limit the process's memory: call this before any heavy import and before the first thread.

    Nothing that is imported is ever thrown away, so the garbage collector stays off until `settle()`.
    """
    gc.disable()
    # The matrices here have a few hundred rows: threads cost them more than they give, and 20 MB of buffers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _call("mallopt", M_ARENA_MAX, ARENAS)
    if sys.version_info < (3, 12):
        import_without("numpy", *UNUSED_OF_NUMPY_1)
    for library, unused in UNUSED.items():
        import_without(library, *unused)


def settle() -> bool:
    """Freeze the loaded objects and return the start's memory to the system: call this once everything is loaded.

    Only in a process that was to stay small; return whether it is one. Another, as the demonstration's, has more to do
    than this door.
    A full collection would stop every thread, the sound's too, for 60 ms (on a small Pi for 300): from here on it
    passes over all that was loaded.
    """
    if gc.isenabled():
        return False
    typing.clear_overloads()  # what they say for the types alone, 3.11 keeps for whoever asks
    sys.path_importer_cache.clear()  # the names in each directory; a later import lists it anew
    gc.freeze()
    gc.enable()
    trim()
    return True


def collect() -> None:
    """Collect the garbage that came since `settle()`: 2 ms on a PC, for it passes over what was loaded.

    A call leaves a thousand objects in circles, and a megabyte that hangs on them: call this while there is no call, or
    Python does it in the midst of one.
    """
    gc.collect()


def trim() -> None:
    """Return free memory to the system, and let go of what was read of the libraries' files. From any thread."""
    _call("malloc_trim", 0)
    _let_go_of_files()


def end() -> None:
    """Unfreeze the loaded objects, so that the end disposes of them in order: call this when everything has stopped."""
    gc.unfreeze()
    gc.enable()


def _let_go_of_files() -> None:
    """Drop the pages of the libraries' files: a start and a call touch far more of them than the time between calls.

    Their pages come back by themselves when they are needed; they are only let go where they are as in the file.
    """
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as maps:
            unchanged = list(_unchanged(maps))
        with Path("/proc/self/maps").open(encoding="utf-8", errors="replace") as maps:
            unchanged = _still(unchanged, maps)
    except OSError:
        return  # without the list the pages stay in memory, and nothing else changes
    libc = ctypes.CDLL(None)  # once for all: each makes a class of its own, and keeps it until a full collection
    if advise := getattr(libc, "madvise", None):
        for start, end in unchanged:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def _unchanged(maps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield the address ranges of private read-only file mappings of which no page was written (proc(5), smaps).

    A library's tables are written once, then read only: such a page is no longer the file's. It is anonymous, clean
    as well once it was swapped out and in again, or it lies in the swap.
    """
    place: tuple[int, int] | None = None
    as_in_file = 0
    for line in maps:
        if found := MAPPING.match(line):
            place = _place(found)
            as_in_file = 0
        elif place is not None and line.startswith(WRITTEN) and line.split()[1] == "0":
            as_in_file += 1
            if as_in_file == len(WRITTEN):
                yield place


def _still(places: Iterable[tuple[int, int]], maps: Iterable[str]) -> list[tuple[int, int]]:
    """Return those of the address ranges that are mapped so now, some time later.

    A library that a thread was loading lay there whole and unwritten for an instant, before its variables got theirs.
    """
    now = {_place(found) for line in maps if (found := MAPPING.match(line))}
    return [place for place in places if place in now]


def _place(mapping: re.Match[str]) -> tuple[int, int] | None:
    start, end, may, file = mapping.groups()
    stays = may in {"r-xp", "r--p"} and file.startswith("/") and file != PASSING
    return (int(start, 16), int(end, 16)) if stays else None


def _call(name: str, *arguments: Any) -> None:
    function = getattr(ctypes.CDLL(None), name, None)  # other C libraries lack these functions, and do not need them
    if function is not None:
        function(*arguments)
