"""What is done to the ARM machine, step by step, and what each step shows."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.hardware.guest import SHARED
from tests.hardware.station import CREDENTIAL, TRACES, UNITS

from .board import PYTHON, Board

ANSWERS = 'network = true\\nring = "/private/house"\\npins = "gpio"\\ncamera = "off"\\ntest_call = true\\n'
SERVICES = ("intercom", "intercom-space")
STEP_LIMIT_S = 900.0
REGISTERED = """for look in $(seq 300); do
  intercom status --json | grep -q '"registered": true' && break; sleep 1; done
intercom status --json | grep -q '"registered": true' || { intercom status; exit 1; }"""
CHIP = UNITS["bench-pins.service"].partition("-c '")[2].partition("'\n")[0]
PINS = f"""sh -e -c '{CHIP}'
# On a Raspberry Pi it is the system's.
cp -r /opt/bench/lib/python3*/site-packages/*lgpio* /usr/lib/python3/dist-packages/"""
CONFINED = """pid=$(systemctl show --value -p MainPID {unit})
grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status | tr -d '\\t'
for own in mnt user; do
  test "$(readlink /proc/$pid/ns/$own)" != "$(readlink /proc/1/ns/$own)" && echo $own; done"""
"""What a process may: no capability, no new privileges, a filter of system calls, and a view of its own."""
IS_CONFINED = ["CapEff:0000000000000000", "NoNewPrivs:1", "Seccomp:2", "mnt", "user"]
KEPT = f"cat /etc/intercom/intercom.toml {CREDENTIAL}"
WAITS = "waiting for its end"
"""What an upgrade says while there is a call."""
LOOK_AGAIN_S = 0.5
PROCESS = "systemctl show --value -p MainPID intercom"
SIGNALLED = f"""pid=$({PROCESS}); kill -$signal $pid
until new=$({PROCESS}); test $new != 0 && test $new != $pid; do sleep 1; done
{REGISTERED}"""
"""After this signal the door is another process, and registered."""


class Story:
    """The life of a door station on one machine."""

    def __init__(self, board: Board, old: str, new: str, compiled: str) -> None:
        """Two versions of the package and what is `compiled` of either are files in what the machine shares."""
        self._board = board
        self._old, self._new = SHARED / old, SHARED / new
        self._compiled = f"tar --extract --directory=/ --file={SHARED / compiled}"

    def steps(self) -> dict[str, Callable[[], str]]:
        """Each step by what it shows; it returns what is worth telling."""
        return {
            "Debian 12 for arm64 is up, and no unit has failed": self._boots,
            "the package is installed, both services run, and the door is registered": self._installs,
            "both services are in their sandboxes": self._is_confined,
            "setup takes the answers, and its test call works": self._sets_up,
            "a visit: pressed, rung, heard both ways, opened; the headset is pulled out and put back": self._visit,
            "a killed door is back by itself": self._dies,
            "a hung door is started anew by its watchdog": self._hangs,
            "an upgrade waits for the call, and keeps settings and credential": self._upgrades,
            "a removal leaves settings and state": self._removes,
            "a purge leaves nothing": self._purges,
        }

    def journal(self) -> str:
        """Return what the machine logged last."""
        return self._board.run("journalctl --no-pager -o short-monotonic | tail -n 200").output

    def _run(self, script: str) -> str:
        return self._board.run(script, limit_s=STEP_LIMIT_S).check()

    def _boots(self) -> str:
        said = self._run("uname -m; systemctl is-system-running --wait; systemctl --failed --no-legend")
        assert said.split() == ["aarch64", "running"], said
        return self._run("uname -r")

    def _installs(self) -> str:
        self._run(PINS)
        self._run(self._compiled)
        took = self._timed(f"dpkg --install {self._old}")
        self._run(REGISTERED)
        said = self._run(f"systemctl is-active {' '.join(SERVICES)}; systemctl is-enabled {' '.join(SERVICES)}")
        assert said.split() == ["active", "active", "enabled", "enabled"], said
        return f"installed in {took}"

    def _is_confined(self) -> str:
        for unit in SERVICES:
            said = self._run(CONFINED.format(unit=unit)).split()
            assert said == IS_CONFINED, (unit, said)
        return " ".join(IS_CONFINED)

    def _sets_up(self) -> str:
        said = self._run(f"printf '{ANSWERS}' | intercom setup --answers -")
        assert "The door is registered." in said, said
        assert "verdict   calls work" in said, said
        return said[said.index("address   ") :].rstrip()

    def _visit(self) -> str:
        return self._run(f"cd /checkout && {PYTHON} -m tests.arm.inside")

    def _dies(self) -> str:
        return f"registered again after {self._timed(f'signal=KILL; {SIGNALLED}')}"

    def _hangs(self) -> str:
        took = self._timed(f"signal=STOP; {SIGNALLED}")
        self._run("journalctl -u intercom -b | grep 'Watchdog timeout'")
        return f"registered again after {took}"

    def _upgrades(self) -> str:
        before, process = self._run(KEPT), self._run(PROCESS)
        self._run("intercom call /public/echo")
        # As apt does it; the older version takes with it what was compiled for it.
        script = f"dpkg --unpack {self._new} && {self._compiled} && dpkg --configure intercom"
        upgrading = self._board.start(script, limit_s=STEP_LIMIT_S)
        while WAITS not in self._board.output(upgrading):
            assert self._board.waits_for(upgrading, LOOK_AGAIN_S), self._board.output(upgrading)
        # Its exit status says that there is no sound card.
        status = self._board.run("intercom status --json", limit_s=STEP_LIMIT_S).output
        assert json.loads(status)["call"]["with"] == "/public/echo", status
        assert self._run(PROCESS) == process
        self._run("intercom hangup")
        self._board.result(upgrading, limit_s=STEP_LIMIT_S).check()
        self._run(REGISTERED)
        assert self._run(KEPT) == before
        assert self._run(PROCESS) != process
        version = self._run("dpkg-query --show --showformat='${Version}' intercom")
        assert f"_{version}_" in self._new.name, version
        return version

    def _removes(self) -> str:
        self._run("dpkg --remove intercom")
        self._run("! pgrep --full /opt/intercom/bin")
        left = self._run(f"ls {CREDENTIAL} /etc/intercom")
        assert {CREDENTIAL, "intercom.toml"} <= set(left.split()), left
        return " ".join(left.split())

    def _purges(self) -> str:
        self._run("dpkg --purge intercom")
        left = self._run(f"{TRACES}; getent passwd {' '.join(SERVICES)}; systemctl --failed --no-legend")
        assert left.strip() == "", left
        return ""

    def _timed(self, script: str) -> str:
        """Run a script and return how long it took by the machine's clock."""
        said = self._run(f"read -r a _ </proc/uptime; {{ {script}\n}} >&2; read -r b _ </proc/uptime; echo; echo $a $b")
        began, ended = said.split()[-2:]
        return f"{float(ended) - float(began):.1f} s"
