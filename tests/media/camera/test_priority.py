"""The camera's threads give way to the sound, however low the door's own priority is."""

from __future__ import annotations

import subprocess
import sys

GIVE_WAY = """
import os, threading
from intercom.media.camera.encoder import NICENESS, give_way_to_sound

niceness = os.nice(NICENESS + 1)
if os.getuid() == 0:
    os.setuid(65534)  # whoever is not root may not raise a priority
give_way_to_sound()
assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == niceness
"""


def test_a_camera_of_a_door_whose_priority_is_low_leaves_it_as_it_is() -> None:
    done = subprocess.run([sys.executable, "-c", GIVE_WAY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
