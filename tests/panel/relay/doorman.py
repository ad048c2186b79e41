"""A process that, told to go on its standard input, opens the door of its panel, and then dies, hangs or ends."""

import ctypes
import os
import signal
import sys
import time

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel


def main(ending: str, cap_s: float) -> None:
    panel = FrontPanel(PanelConfig(pins="simulated"), DoorConfig(pulse_s=cap_s, cap_s=cap_s))
    print(panel.guard_pid, flush=True)
    sys.stdin.readline()
    if ending == "idle":
        time.sleep(60)
    panel.door.open()
    if ending == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif ending == "hung":
        # A C function that never gives the interpreter back: no Python thread of this process runs again.
        ctypes.PyDLL(None).sleep(60)
    elif ending == "stopped":
        for process in (panel.guard_pid, os.getpid()):
            os.kill(process, signal.SIGSTOP)
    elif ending == "raises":
        raise RuntimeError("an unexpected fault")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
