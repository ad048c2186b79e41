"""A relay's guard, that of the door or the chime: a tiny process that turns it off when the appliance cannot.

Started by the panel as a script (`relay_watchdog_control.py`). On its standard input the panel writes `o` before it
turns the relay on, `c` after it has turned it off, and `p` when it only asks whether the guard runs; `o` and `p` are
repeated on standard output, so that a guard that is stopped is noticed. The guard acts when the panel's process dies
with the relay on, or when the relay is still on `cap_s` + MARGIN_S after the first `o`: then it kills that process,
which hangs. Either way it drives the relay's pin off itself, since the kernel of Raspberry Pi OS leaves a dead
process's outputs as they were.

It is started with SIGTERM, SIGINT and SIGHUP blocked: what ends the panel's whole session must not end the guard first;
it ends when the pipe closes. Only the standard library's core is loaded until there is something to do.

With simulated pins there is nothing to drive, only the process to kill.
"""

import contextlib
import os
import select
import sys
import time

MARGIN_S = 0.5
"""Time that a working panel may be late, on a loaded machine, before it counts as hung."""

SIGKILL = 9
"""Signal number from the module `signal`, whose import would be a tenth of this process's memory."""

KILL_WAIT_S = 5.0
"""Limit of the wait for a killed process to release the pins."""


def main(arguments: list[str]) -> int:
    """Run the guard: parent process id, cap in seconds, pins, relay GPIO, active-high (1 or 0), name, module path."""
    parent, cap_s, pins, relay_gpio, active_high, name, path = arguments
    parent_fd = _open_parent(int(parent))
    trouble = watch(sys.stdin.fileno(), sys.stdout.fileno(), parent_fd, float(cap_s) + MARGIN_S)
    if trouble is None:
        return 0
    _say(name, f"{trouble}; turning the relay off")
    if parent_fd is not None:
        if os.getppid() == int(parent):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(parent), SIGKILL)
        select.select([parent_fd], [], [], KILL_WAIT_S)
    if pins == "simulated":
        return 0
    sys.path[:0] = path.split(os.pathsep)
    from intercom.gpio_chip import drive_off

    try:
        drive_off(int(relay_gpio), active_high == "1", name)
    except OSError as error:
        _say(name, f"the relay may still be on: {error}")
        return 1
    _say(name, "the relay is off")
    return 0


def _open_parent(parent: int) -> int | None:
    """Return a pidfd of the panel's process; None = it has died before this one began."""
    try:
        descriptor = os.pidfd_open(parent)
    except ProcessLookupError:
        return None
    # Still our parent after the descriptor was made: then it is no other process that got the same number.
    return descriptor if os.getppid() == parent else None


def watch(commands_fd: int, answers_fd: int, parent_fd: int | None, limit_s: float) -> str | None:
    """Return the fault, or None when the panel ended with the relay off.

    `commands_fd` and `answers_fd` are the pipes, `parent_fd` a pidfd (None = dead already), `limit_s` how long the
    relay may be on.
    """
    poll = select.poll()
    poll.register(commands_fd, select.POLLIN)
    if parent_fd is not None:
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
                elif command == ord("o") and deadline is None:
                    deadline = time.monotonic() + limit_s
                if command != ord("c"):
                    with contextlib.suppress(OSError):  # a panel that died meanwhile is noticed below
                        os.write(answers_fd, bytes([command]))
            if not commands:
                return None if deadline is None else "the panel ended with the relay on"
        elif parent_fd in ready:
            return None if deadline is None else "the panel died with the relay on"
        if deadline is not None and time.monotonic() >= deadline:
            return f"the relay is on for more than {limit_s:g} s: the panel hangs"


def _say(name: str, text: str) -> None:
    sys.stderr.write(f"intercom {name} guard: {text}.\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
