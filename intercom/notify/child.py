"""The process that sends one message through apprise, or judges URLs, and ends.

`python -m intercom.notify.child send SCHEME` reads an `Order` from standard input and writes an `Outcome`; `… judge`
reads a list of URLs and writes a `Verdict`; both as JSON. apprise is loaded while the order is still on its way.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

NICENESS = 10
"""Niceness of the process: the call that rings at the same time goes before."""
DATA_LIMIT_BYTES = 192 * 1024 * 1024
"""Memory limit: five times what apprise takes. A service that answers without end fills this and nothing more."""
LIFE_S = 90
"""Time after which the process ends by itself, should nobody end it."""
MISSING = 3
"""Exit status when apprise is not installed."""


def main() -> int:
    """Send the message, or judge the URLs, and return the exit status."""
    task, scheme = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    answer = _make_modest()
    try:
        from intercom.notify import sending
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "apprise":
            raise
        return MISSING
    if task == "send":
        sending.prepare(scheme)
    asked = sys.stdin.buffer.read()
    os.write(answer, sending.send(asked) if task == "send" else sending.judge(asked))
    return 0


def _make_modest() -> int:
    """Limit what this process may take, silence what libraries print, and return where the answer goes."""
    signal.alarm(LIFE_S)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_LIMIT_BYTES, DATA_LIMIT_BYTES))
    with suppress(OSError):
        # Where memory is short the kernel ends this process, and not the door.
        Path("/proc/self/oom_score_adj").write_text("1000")
    answer = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    return answer


if __name__ == "__main__":
    sys.exit(main())
