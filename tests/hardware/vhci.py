"""A UAC1 headset on a virtual USB port: the process behind `headset.Headset`.

Speaks the USB/IP protocol to the kernel's `vhci_hcd` over a socket pair (Documentation/usb/usbip_protocol.rst) and
paces the audio in real time. It takes one command a line on its standard input and answers each with one line of JSON.
It has to be a process of its own: opening a PCM holds Python's lock until the device has answered.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import select
import socket
import struct
import sys
import time
import wave
from array import array
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .acoustics import Air, Microphone, clip
from .uac1 import MICROPHONE_ENDPOINT, MICROPHONE_FEATURE, SPEAKER_FEATURE, Feature, UsbHeadset

VHCI = Path("/sys/devices/platform/vhci_hcd.0")
FREE_PORT = "004"
FULL_SPEED = 2
LATE_S = 0.05
"""An endpoint that was idle or held up for longer starts a new clock instead of catching up in one burst."""
STALL_S = 0.2
"""Lateness of the headset itself: half of it and more is no fault of whoever uses the headset."""
LOUD = 500
"""A played sample beyond this (36 dB below full scale) counts as sound."""
KEPT_S = 600
PRIORITY = 20
"""Real-time priority of the headset and of the controller that it hangs on, which are no programs in real life: before
the sound of whoever uses them."""
BOTH = 2
"""Directions of the headset."""
_HEADER = 48


@dataclass(order=True)
class _Transfer:
    """An isochronous request that the kernel waits for: its audio is due `due_s` on the monotonic clock."""

    due_s: float
    number: int
    endpoint: int = field(compare=False)
    packets: list[tuple[int, int]] = field(compare=False)
    """Offset and length in bytes of each packet."""
    data: bytes = field(compare=False)


class Port:
    """The headset as the kernel sees it, plugged into a port of `vhci_hcd` or lying beside it."""

    def __init__(self, device: UsbHeadset) -> None:
        self.device = device
        self.microphone = Microphone(device.rate_hz)
        self.air = Air(device.rate_hz)
        self.features = device.features()
        self.frozen = False
        """Plugged in, but no longer moving audio: what a crashed firmware looks like."""
        self.socket: socket.socket | None = None
        self.played = bytearray()
        self.sound_at_s: float | None = None
        """When the first loud sample was played since the plug or `forget` (monotonic clock)."""
        self._asked_at_s: dict[int, float] = {}
        self.recorded_samples = 0
        """Samples that the kernel took from the microphone since then."""
        self.stalls: list[tuple[float, float]] = []
        """When audio was due and when it was moved, where this process was too late with it (monotonic clock)."""
        self._port = -1
        self._inbox = b""
        self._waiting: list[_Transfer] = []
        self._clock_s: dict[int, float] = {}

    def plug(self) -> dict[str, object]:
        """Plug the headset into a free port; return the kernel's directory of it and the cards of whoever was there.

        Its own card appears in that directory about half a second later; a former one may still be about to go.
        """
        if self.socket is not None:
            raise ValueError("already plugged in")
        ours, kernels = socket.socketpair()
        for end in (ours, kernels):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._port = _free_port()
        hub = min(VHCI.glob("usb*"))  # the first is the hub of high and full speed
        directory = hub / f"{hub.name.removeprefix('usb')}-{self._port + 1}"
        former = [card for _, card in cards_of(directory)]
        self.features = self.device.features()
        self.forget()
        with kernels:
            request = f"{self._port} {kernels.fileno()} {0x10002 + self._port} {FULL_SPEED}"
            (VHCI / "attach").write_text(request)
        for thread in _host_controller():
            _go_first(thread)
        self.socket = ours
        return {"now_s": time.monotonic(), "directory": str(directory), "former": former}

    def unplug(self) -> None:
        """Pull the headset out; whoever plays or records gets an error within milliseconds."""
        if self.socket is None:
            raise ValueError("not plugged in")
        (VHCI / "detach").write_text(str(self._port))
        self._gone()

    def forget(self) -> None:
        """Forget what was played and recorded so far."""
        self.played.clear()
        self.sound_at_s = None
        self.recorded_samples = 0
        self._asked_at_s.clear()

    def report(self) -> dict[str, object]:
        """Return what has happened since the plug or `forget`."""
        return {
            "plugged": self.socket is not None,
            "played_samples": len(self.played) // 2,
            "recorded_samples": self.recorded_samples,
            "sound_at_s": self.sound_at_s,
            "opened_at_s": max(self._asked_at_s.values()) if len(self._asked_at_s) == BOTH else None,
            "peak": max(map(abs, self.last()), default=0),
            "speaker": asdict(self.features[SPEAKER_FEATURE]),
            "microphone": asdict(self.features[MICROPHONE_FEATURE]),
            "stalls": self.stalls,
            "now_s": time.monotonic(),
        }

    def last(self) -> list[int]:
        """Return the samples of the last tenth of a second."""
        return array("h", bytes(self.played[-2 * self.device.rate_hz // 10 :])).tolist()

    def save(self, path: Path) -> None:
        """Write what was played as a WAV file."""
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, self.device.rate_hz, 0, "NONE", ""))
            file.writeframes(bytes(self.played))

    def due_s(self) -> float | None:
        """Return when `work` has something to do by itself."""
        return self._waiting[0].due_s if self._waiting and not self.frozen else None

    def work(self, *, readable: bool) -> None:
        """Take the kernel's requests and complete those whose time has come."""
        if readable and self.socket is not None:
            self._receive(self.socket)
        now = time.monotonic()
        if (due_s := self.due_s()) is not None and now - due_s > STALL_S:
            self.stalls.append((due_s, now))
        while self._waiting and not self.frozen and self._waiting[0].due_s <= now:
            self._complete(heapq.heappop(self._waiting))

    def _gone(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket, self._inbox = None, b""
        self._waiting.clear()
        self._clock_s.clear()

    def _receive(self, line: socket.socket) -> None:
        try:
            data = line.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self._gone()
            return
        self._inbox += data
        while taken := self._request(self._inbox):
            self._inbox = self._inbox[taken:]

    def _request(self, inbox: bytes) -> int:
        """Handle the first request in `inbox` and return its size; 0 while it is incomplete."""
        if len(inbox) < _HEADER:
            return 0
        command, number, _device, inwards, endpoint = struct.unpack_from(">5I", inbox)
        if command == 2:  # CMD_UNLINK
            self._unlink(number, struct.unpack_from(">I", inbox, 20)[0])
            return _HEADER
        _flags, length, _start, packets, _interval = struct.unpack_from(">Iiiii", inbox, 20)
        isochronous = packets if 0 < packets < 4096 else 0
        outgoing = 0 if inwards else length
        size = _HEADER + outgoing + 16 * isochronous
        if len(inbox) < size:
            return 0
        data = inbox[_HEADER : _HEADER + outgoing]
        if endpoint == 0:
            status, answer = self.device.control(inbox[40:48], data, self.features)
            moved = len(answer) if inwards else outgoing
            self._reply(number, status, moved if status == 0 else 0, 0, answer if inwards else b"")
        elif isochronous:
            descriptors = struct.iter_unpack(">4I", inbox[_HEADER + outgoing : size])
            self._schedule(number, endpoint, [(offset, room) for offset, room, *_ in descriptors], data)
        else:
            self._reply(number, -32, 0, 0, b"")
        return size

    def _schedule(self, number: int, endpoint: int, packets: list[tuple[int, int]], data: bytes) -> None:
        now = time.monotonic()
        self._asked_at_s.setdefault(endpoint, now)
        last = self._clock_s.get(endpoint, 0.0)
        due = (last if last > now - LATE_S else now) + len(packets) / 1000
        self._clock_s[endpoint] = due
        heapq.heappush(self._waiting, _Transfer(due, number, endpoint, packets, data))

    def _unlink(self, number: int, target: int) -> None:
        kept = [transfer for transfer in self._waiting if transfer.number != target]
        status = -104 if len(kept) < len(self._waiting) else 0  # ECONNRESET: it was still waiting
        heapq.heapify(kept)
        self._waiting = kept
        self._send(struct.pack(">5Ii24x", 4, number, 0, 0, 0, status))

    def _complete(self, transfer: _Transfer) -> None:
        if transfer.endpoint == MICROPHONE_ENDPOINT:
            sizes = [min(2 * self.device.packet_samples, room) for _, room in transfer.packets]
            data = _turned(self.air.add_to(self.microphone.take(sum(sizes))), self.features[MICROPHONE_FEATURE])
            self.recorded_samples += len(data) // 2
        else:
            sizes = [room for _, room in transfer.packets]
            data = b"".join(transfer.data[at : at + room] for at, room in transfer.packets)
            data = _turned(data, self.features[SPEAKER_FEATURE])
            self.air.put(data)
            self._play(data, transfer.due_s)
            data = b""
        tail = b"".join(
            struct.pack(">4I", offset, room, size, 0)
            for (offset, room), size in zip(transfer.packets, sizes, strict=True)
        )
        self._reply(transfer.number, 0, sum(sizes), len(sizes), data + tail)

    def _play(self, data: bytes, end_s: float) -> None:
        self.played += data
        del self.played[: -2 * KEPT_S * self.device.rate_hz]
        if self.sound_at_s is None:
            samples = array("h", data)
            loud = next((n for n, sample in enumerate(samples) if abs(sample) > LOUD), None)
            if loud is not None:
                self.sound_at_s = end_s - (len(samples) - loud) / self.device.rate_hz

    def _reply(self, number: int, status: int, moved: int, packets: int, payload: bytes) -> None:
        self._send(struct.pack(">5Iiiiii8x", 3, number, 0, 0, 0, status, moved, 0, packets, 0) + payload)

    def _send(self, data: bytes) -> None:
        if self.socket is not None:
            try:
                self.socket.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                self._gone()


def _turned(data: bytes, feature: Feature) -> bytes:
    """Some samples as the headset's own controls let them through."""
    ratio = feature.ratio
    if ratio == 1.0:
        return data
    return array("h", (clip(sample * ratio) for sample in array("h", data))).tobytes()


def cards_of(directory: Path) -> list[tuple[str, int]]:
    """Return the ids of a USB device's sound cards, each with a number that no other card has."""
    found: list[tuple[str, int]] = []
    with suppress(OSError):  # the device goes while it is looked at, or is not there yet
        found += [(file.read_text().strip(), file.stat().st_ino) for file in directory.glob("*/sound/card*/id")]
    return found


def _host_controller() -> list[int]:
    """Return the kernel's threads that carry what its virtual controllers send and get."""
    found: list[int] = []
    for name in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):  # it ends meanwhile
            found += [int(name.parent.name)] if name.read_text().startswith("vhci_") else []
    return found


def _go_first(process: int) -> None:
    with suppress(OSError):  # not allowed, or over
        os.sched_setscheduler(process, os.SCHED_RR, os.sched_param(PRIORITY))


def _free_port() -> int:
    for line in (VHCI / "status").read_text().splitlines()[1:]:
        hub, port, state, *_ = line.split()
        if hub == "hs" and state == FREE_PORT:
            return int(port)
    raise ValueError("every virtual USB port is taken")


def _obey(port: Port, line: str) -> dict[str, object]:
    """Carry out one command and return the answer."""
    command, _, value = line.partition(" ")
    match command:
        case "plug":
            return port.plug()
        case "unplug":
            port.unplug()
        case "tone":
            port.microphone.tone(int(value))
        case "silence":
            port.microphone.tone(0)
        case "speak":
            port.microphone.recording(Path(value))
        case "air":
            echo_db, delay_ms = value.split()
            port.air.set(float(echo_db), float(delay_ms))
        case "freeze" | "thaw":
            port.frozen = command == "freeze"
        case "forget":
            port.forget()
        case "save":
            port.save(Path(value))
        case "report":
            return port.report()
        case "last":
            return {"samples": port.last(), "now_s": time.monotonic()}
        case _:
            raise ValueError(f'no such command: "{command}"')
    return {"now_s": time.monotonic()}


def serve(port: Port, commands: int) -> None:
    """Obey the lines read from the file descriptor `commands` until it ends, moving audio all the while."""
    unread = b""
    while True:
        due = port.due_s()
        wait = None if due is None else max(0.0, due - time.monotonic())
        sources: list[int | socket.socket] = [commands] if port.socket is None else [commands, port.socket]
        ready = select.select(sources, [], [], wait)[0]
        port.work(readable=port.socket in ready)
        if commands not in ready:
            continue
        data = os.read(commands, 4096)
        if not data:
            return
        *lines, unread = (unread + data).split(b"\n")
        for line in lines:
            try:
                answer = _obey(port, line.decode())
            except (OSError, ValueError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)


def main() -> None:
    """Be the headset that the arguments describe until the standard input ends, then pull it out."""
    usual = UsbHeadset()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--name", default=usual.name)
    arguments.add_argument("--vendor-id", type=int, default=usual.vendor_id)
    arguments.add_argument("--product-id", type=int, default=usual.product_id)
    arguments.add_argument("--serial", default=usual.serial)
    arguments.add_argument("--rate-hz", type=int, default=usual.rate_hz)
    arguments.add_argument("--automatic-gain", type=lambda text: text == "True", default=usual.automatic_gain)
    port = Port(UsbHeadset(**vars(arguments.parse_args())))
    _go_first(0)
    serve(port, sys.stdin.fileno())
    if port.socket is not None:
        port.unplug()


if __name__ == "__main__":
    main()
