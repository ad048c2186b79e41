"""A process that, told to go on its standard input, opens its door or rings its chime, and then dies, hangs or ends."""

import ctypes
import os
import signal
import sys
import time

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel
from intercom.panel.relay import relay_watchdog_control


def main(ending: str, cap_s: float, relay: str = "door") -> None:
    # A guard's interpreter starts on a machine that is busy with much else.
    relay_watchdog_control.FIRST_ANSWER_S = 60.0
    chime = {"chime_gpio": 12, "chime_s": cap_s} if relay == "chime" else {}
    # Its own clock stands still: however late it goes wrong, its relay is on. The guard goes by the real time.
    panel = FrontPanel(
        PanelConfig(pins="simulated", **chime), DoorConfig(pulse_s=cap_s, cap_s=cap_s), clock=lambda: 0.0
    )
    guard_pid = panel.guard_pid if relay == "door" else panel.entrance.guard_pid
    print(guard_pid, flush=True)
    sys.stdin.readline()
    if ending == "idle":
        time.sleep(60)
    if relay == "chime":
        panel.entrance.ring()
    else:
        panel.door.open()
    if ending == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif ending == "hung":
        # A C function that never gives the interpreter back: no Python thread of this process runs again.
        ctypes.PyDLL(None).sleep(60)
    elif ending == "stopped":
        for process in (guard_pid, os.getpid()):
            assert process is not None
            os.kill(process, signal.SIGSTOP)
    elif ending == "raises":
        raise RuntimeError("an unexpected fault")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *sys.argv[3:])
