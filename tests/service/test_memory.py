"""The door's process takes little memory, and starts without what only a call needs."""

from __future__ import annotations

import subprocess
import sys

from intercom.service.memory import _still, _unchanged

MAPS = """\
7f00-7f10 r-xp 00000000 fe:00 17   /usr/lib/library.so
Rss:                  64 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
7f10-7f20 r--p 00010000 fe:00 17   /usr/lib/library.so
Private_Dirty:         4 kB
Anonymous:             4 kB
Swap:                  0 kB
7f20-7f30 rw-p 00020000 fe:00 17   /usr/lib/library.so
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
7f30-7f40 r--p 00000000 00:00 0
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
7f40-7f50 r--s 00000000 fe:00 18   /usr/share/shared
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
7f50-7f60 r--p 00000000 fe:00 19   /opt/with a space.so
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
"""
SWAPPED = """\
7f00-7f10 r--p 00010000 fe:00 17   /usr/lib/swapped-out.so
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  4 kB
7f10-7f20 r--p 00010000 fe:00 18   /usr/lib/swapped-in-again.so
Private_Clean:         4 kB
Private_Dirty:         0 kB
Anonymous:             4 kB
Swap:                  0 kB
"""

SETTLE = """
import gc, os
from intercom.service import memory
memory.stay_small()
import numpy as np
def rss(): return int(open("/proc/self/statm").read().split()[1])
before = rss()
memory.settle()
after = rss()
assert gc.isenabled() and gc.get_freeze_count() > 1000
assert float(np.linalg.det(np.eye(3))) == 1.0
print(before - after)
"""
OVERLOADED = """
import gc, typing
from intercom.service import memory
memory.stay_small()
import reactivex
memory.settle()
import wave  # what is imported later is found
print(typing.get_overloads(reactivex.pipe))
"""
LEFT = """
import gc
from intercom.service import memory
assert not memory.settle()
memory.stay_small()
assert memory.settle()
class Left: pass
gc.disable()
one, other = Left(), Left()
one.other, other.one, one.much = other, one, bytearray(20_000_000)
del one, other
def rss(): return int(open("/proc/self/statm").read().split()[1])
before = rss()
memory.collect()
memory.trim()
print(before - rss())
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_only_unwritten_read_only_pages_of_files_are_let_go() -> None:
    assert list(_unchanged(MAPS.splitlines())) == [(0x7F00, 0x7F10), (0x7F50, 0x7F60)]


def test_written_pages_that_went_to_the_swap_are_kept() -> None:
    assert list(_unchanged(SWAPPED.splitlines())) == []


def test_the_loader_s_list_of_libraries_is_passed_over_for_it_may_be_gone_already() -> None:
    maps = MAPS.replace("/usr/lib/library.so", "/etc/ld.so.cache", 1)
    assert list(_unchanged(maps.splitlines())) == [(0x7F50, 0x7F60)]


def test_a_library_that_was_just_being_loaded_keeps_its_variables() -> None:
    loaded = """\
7f00-7f08 r-xp 00000000 fe:00 17   /usr/lib/library.so
7f08-7f10 rw-p 00010000 fe:00 17   /usr/lib/library.so
7f50-7f60 r--p 00000000 fe:00 19   /opt/with a space.so
"""
    assert _still(_unchanged(MAPS.splitlines()), loaded.splitlines()) == [(0x7F50, 0x7F60)]


def test_a_process_that_has_settled_is_smaller_and_goes_on() -> None:
    assert int(python(SETTLE)) > 500, "pages of 4 KiB"


def test_what_a_call_left_in_circles_is_returned() -> None:
    assert int(python(LEFT)) > 4800, "pages of 4 KiB"


def test_a_process_that_has_settled_forgets_what_was_overloaded_for_the_types_and_finds_modules() -> None:
    assert python(OVERLOADED) == "[]\n"


def test_the_door_shows_its_lights_before_it_loads_what_a_call_needs() -> None:
    code = "import sys, intercom.door.appliance; print([name for name in ('aiortc', 'av') if name in sys.modules])"
    assert python(code).strip() == "[]"
