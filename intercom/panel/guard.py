"""The door's guard: a tiny process that turns the relay off when the appliance cannot.

Started by the panel as a script (`guarding.py`). On its standard input the panel writes `o` before it turns the relay
on and `c` after it has turned it off. The guard acts when the panel's process dies with the door open, or when the door
is still open `cap_s` + MARGIN_S after the first `o`: then it kills that process, which hangs. Either way it drives the
relay's pin off itself, since the kernel of Raspberry Pi OS leaves a dead process's outputs as they were.

With simulated pins there is nothing to drive, only the process to kill.
"""

import contextlib
import os
import select
import signal
import sys
import time

MARGIN_S = 0.5
"""What a living panel may be late, on a loaded machine, before it counts as hung."""

KILL_WAIT_S = 5.0
"""How long a killed process may take to give the pins back."""


def main(arguments: list[str]) -> int:
    """Run the guard: parent process id, cap in seconds, pins, relay GPIO, active-high (1 or 0), the module path."""
    parent, cap_s, pins, relay_gpio, active_high, path = arguments
    # Whatever ends the panel ends its session too; the guard goes when the pipe closes, not before.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() != int(parent):
        return 0
    parent_fd = os.pidfd_open(int(parent))
    trouble = watch(sys.stdin.fileno(), parent_fd, float(cap_s) + MARGIN_S)
    if trouble is None:
        return 0
    _say(f"{trouble}; turning the relay off")
    if os.getppid() == int(parent):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(parent), signal.SIGKILL)
    _wait_readable(parent_fd, KILL_WAIT_S)
    if pins == "simulated":
        return 0
    sys.path[:0] = path.split(os.pathsep)
    from intercom.panel.relay import drive_off

    drive_off(pins, int(relay_gpio), active_high == "1")
    _say("the relay is off")
    return 0


def watch(commands_fd: int, parent_fd: int, limit_s: float) -> str | None:
    """Return what is wrong, or None when the panel ended with the door closed.

    `commands_fd` is the pipe, `parent_fd` a pidfd, `limit_s` how long the door may be open.
    """
    poll = select.poll()
    poll.register(commands_fd, select.POLLIN)
    poll.register(parent_fd, select.POLLIN)
    deadline: float | None = None
    while True:
        wait_ms = None if deadline is None else max(deadline - time.monotonic(), 0) * 1000
        ready = dict(poll.poll(wait_ms))
        if commands_fd in ready:
            commands = os.read(commands_fd, 4096)
            for command in commands:
                if command == ord("c"):
                    deadline = None
                elif deadline is None:
                    deadline = time.monotonic() + limit_s
            if not commands:
                return None if deadline is None else "the panel ended with the door open"
        elif parent_fd in ready:
            return None if deadline is None else "the panel died with the door open"
        if deadline is not None and time.monotonic() >= deadline:
            return f"the door is open for more than {limit_s:g} s: the panel hangs"


def _wait_readable(descriptor: int, seconds: float) -> None:
    select.select([descriptor], [], [], seconds)


def _say(text: str) -> None:
    sys.stderr.write(f"intercom door guard: {text}.\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
