"""A network between two ends of a call: a relay in a process of its own, which loses and delays packets by seed.

Each end is told the relay's address in place of the other's, in the session descriptions; so it serves whatever
speaks ICE. Only RTP from the caller to the callee is impaired.
"""

from __future__ import annotations

import heapq
import multiprocessing
import random
import re
import select
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

Impair = Callable[[], float | None]
"""For each packet: how many seconds later it arrives; None = never."""

READY_S = 10.0
"""A fresh interpreter on a busy machine."""
_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", re.MULTILINE | re.IGNORECASE)


def loss(share: float, seed: int) -> Impair:
    """Each packet is lost with this chance."""
    chance = random.Random(seed)
    return lambda: None if chance.random() < share else 0.0


def jitter(most_s: float, seed: int) -> Impair:
    """Each packet is late by anything up to this; they overtake one another."""
    chance = random.Random(seed + 1)  # another than the losses have
    return lambda: chance.uniform(0, most_s)


def bursts(seed: int) -> Impair:
    """Every two seconds or so three packets in a row are lost."""
    chance = random.Random(seed + 2)
    left = 0

    def step() -> float | None:
        nonlocal left
        if left == 0 and chance.random() < 0.01:
            left = 3
        if left:
            left -= 1
            return None
        return 0.0

    return step


SCENES: dict[str, Callable[[int], Impair]] = {
    "loss1": lambda seed: loss(0.01, seed),
    "loss2": lambda seed: loss(0.02, seed),
    "loss5": lambda seed: loss(0.05, seed),
    "burst": bursts,
    "jitter80": lambda seed: jitter(0.080, seed),
}
"""What the network does, by a seed from 1 on."""
NAMES = {
    "clean": "clean",
    "loss1": "1 % lost",
    "loss2": "2 % lost",
    "loss5": "5 % lost",
    "burst": "bursts of 3",
    "jitter80": "0 to 80 ms late",
}
"""The scenes for people."""


class Relay:
    """`offer` and `answer` are what the other end is to be given in place of them."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._control, theirs = context.Pipe()
        self._process = context.Process(target=_relay, args=(theirs,), daemon=True)

    def __enter__(self) -> Relay:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.terminate()

    def offer(self, sdp: str) -> str:
        """The caller's description, with the relay's address."""
        return self._through("caller", sdp)

    def answer(self, sdp: str) -> str:
        """The callee's description, with the relay's address."""
        return self._through("callee", sdp)

    def scene(self, name: str) -> None:
        """From now on this happens to packets; anything that is no scene is a clean network."""
        self._control.send(("scene", name))

    def _through(self, side: str, sdp: str) -> str:
        found = _CANDIDATE.search(sdp)
        if found is None:
            raise ValueError(f"the {side} names no IPv4 address of this machine:\n{sdp}")
        self._control.send((side, (found[1], int(found[2]))))
        if not self._control.poll(READY_S):
            raise TimeoutError("the relay does not answer")
        host, port = self._control.recv()
        lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
        at = next(n for n, line in enumerate(lines) if line.startswith("m=audio"))
        lines[at] = re.sub(r"^(m=audio) \d+", rf"\1 {port}", lines[at])
        lines.insert(at + 2, f"a=candidate:1 1 udp 2130706431 {host} {port} typ host")
        return "\r\n".join(lines) + "\r\n"


def _is_rtp(data: bytes) -> bool:
    """By RFC 7983, and RFC 5761 section 4."""
    return len(data) > 1 and 128 <= data[0] <= 191 and not 192 <= data[1] <= 223


class _Passing:
    """The relay's own process: one socket towards each end."""

    def __init__(self, control: Connection) -> None:
        self._control = control
        self._towards = {side: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for side in ("caller", "callee")}
        self._address: dict[str, tuple[str, int]] = {}
        self._impair: Impair | None = None
        self._late: list[tuple[float, int, bytes]] = []
        self._count = 0

    def run(self) -> None:
        """Pass packets on until the other end of the control pipe is closed."""
        while True:
            wait_s = max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
            inputs: list[Connection | socket.socket] = [self._control, *self._towards.values()]
            ready, _, _ = select.select(inputs, [], [], wait_s)
            if self._control in ready and not self._obey():
                return
            while self._late and self._late[0][0] <= time.monotonic():
                self._send("callee", heapq.heappop(self._late)[2])
            for side, other in ("caller", "callee"), ("callee", "caller"):
                if self._towards[side] in ready:
                    data, sender = self._towards[side].recvfrom(2048)
                    if sender == self._address.get(side):
                        self._pass(data, other)

    def _obey(self) -> bool:
        try:
            word, what = self._control.recv()
        except EOFError:
            return False
        if word == "scene":
            self._impair = SCENES[what](1) if what in SCENES else None
            return True
        if not self._address:
            for towards in self._towards.values():
                towards.bind((what[0], 0))
        self._address[word] = what
        self._control.send(self._towards["callee" if word == "caller" else "caller"].getsockname())
        return True

    def _pass(self, data: bytes, other: str) -> None:
        late_s: float | None = 0.0
        if self._impair is not None and other == "callee" and _is_rtp(data):
            late_s = self._impair()
        if late_s is None:
            return
        if late_s > 0.0:
            self._count += 1
            heapq.heappush(self._late, (time.monotonic() + late_s, self._count, data))
        else:
            self._send(other, data)

    def _send(self, side: str, data: bytes) -> None:
        if side in self._address:
            self._towards[side].sendto(data, self._address[side])


def _relay(control: Connection) -> None:
    _Passing(control).run()
