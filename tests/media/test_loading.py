"""What a call needs is loaded on one thread, while a call may come in on another."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
from importlib.abc import MetaPathFinder

from intercom.config import AudioConfig
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.provider import DoorMedia
from intercom.media.sound.engine import AudioEngine

PACKAGE, ASKED = sys.argv[1:]
begun, beside = threading.Event(), threading.Event()

class Watch(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if threading.current_thread() is not loading:
            if name.startswith(PACKAGE + ".") and loading.is_alive():
                beside.set()  # a part of the package, while the other thread is in the midst of it
        elif name.startswith(PACKAGE + ".") and not begun.is_set():
            begun.set()
            beside.wait(2)  # which must not come
        return None

engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None)
media = DoorMedia(engine, on_event=lambda event: None)
loading = threading.Thread(target=media.prepare)
sys.meta_path.insert(0, Watch())
loading.start()
assert begun.wait(60)
if ASKED == "refusal":
    media.refusal("v=0")
elif ASKED == "API":
    import intercom.integrations.api
else:
    from intercom.media.camera.test_pattern import TestPattern
    TestPattern(160, 120)
print("beside" if beside.is_set() else "after", flush=True)
loading.join()
"""


def loaded(package: str, asked: str) -> str:
    """Return whether what is asked for loads parts of the package beside the other thread, or after it."""
    command = [sys.executable, "-c", SCRIPT, package, asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=True)
    return done.stdout.strip()


def test_a_call_that_comes_while_its_modules_are_loaded_waits_for_them() -> None:
    assert loaded("aiortc", "refusal") == "after"


def test_a_picture_that_is_drawn_while_a_call_s_modules_are_loaded_waits_for_its_own() -> None:
    assert loaded("av", "picture") == "after"


def test_an_api_that_is_loaded_while_a_call_s_modules_are_waits_for_what_both_need() -> None:
    assert loaded("cryptography.x509", "API") == "after"
