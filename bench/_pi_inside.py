"""Counts instructions inside the ARM machine: `python -m bench._pi_inside FILM CASE …`; each case is a line of JSON.

One instruction takes one nanosecond there, so a thread's run time in nanoseconds is the number of its instructions, in
the program and in the kernel. FILM is a file of pickled access units: the camera's.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiortc import rtcrtpreceiver
from aiortc.codecs.base import Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from bench import _door_process
from bench._door_process import RUN, DoorProcess, door_process
from bench._redundant_media import RedundantMedia
from bench._space_process import space_process
from bench._stock_cost import stock_call, voice
from intercom.control.place import NAME
from intercom.media.rtp.hooks import know_telephone_events
from intercom.signalwire import SignalWire, SpaceCredentials

SETTLE_S = 5.0
"""Loading what calls need, connecting, and the first keyframe are over."""
MEASURED_S = 10.0
TRACED_S = 5.0
MILLION = 1e6
CALLS = {"plain": "none", "audio": "webrtc", "silent": "webrtc", "av": "webrtc", "syscalls": "webrtc"}
"""Cases that are a call, and the door's canceller in it."""
PEERS = {"aiortc": "none", "libwebrtc": "libwebrtc"}

Figures = dict[str, float]


class _Unseen(Decoder):
    """The resident's screen is off: what a picture costs there is nobody's question here."""

    def decode(self, encoded_frame: JitterFrame) -> list[object]:  # type: ignore[override] # no frame at all
        return []


def see_nothing() -> None:
    """Let the resident of this process decode no picture."""
    known = rtcrtpreceiver.get_decoder  # type: ignore[attr-defined] # aiortc says of no name that it is for others

    def get_decoder(codec: RTCRtpCodecParameters) -> Decoder:
        return _Unseen() if codec.mimeType.lower().startswith("video") else known(codec)

    rtcrtpreceiver.get_decoder = get_decoder  # type: ignore[attr-defined] # the same


def threads(pid: int) -> dict[int, tuple[int, int]]:
    """Run time and voluntary waits of each thread of a process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        waits = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.MULTILINE)
        assert waits is not None
        found[int(task.name)] = int((task / "schedstat").read_text().split()[0]), int(waits[1])
    return found


def own_mb(pid: int) -> float:
    """Memory of a process that is its own: what is in no file, of which the kernel could read it again."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (anonymous,) = re.findall(r"^Anonymous: +(\d+) kB$", rollup, re.MULTILINE)
    return round(int(anonymous) * 1024 / 1e6, 1)


async def window(door: DoorProcess) -> Figures:
    """Million instructions a second of the door: all of it, its event loop, the busiest other thread (the sound's)."""
    before, began = threads(door.pid), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    after, took_s = threads(door.pid), time.monotonic() - began
    spent = {each: (after[each][0] - before.get(each, (0, 0))[0]) / MILLION / took_s for each in after}
    woken = sum(after[each][1] - before.get(each, (0, 0))[1] for each in after)
    loop = spent.pop(door.pid)
    return {
        "minsn": loop + sum(spent.values()),
        "loop_minsn": loop,
        "sound_minsn": max(spent.values(), default=0.0),
        "wake_ups": woken / took_s,
        "rss_mb": door.rss_mb(),
        "own_mb": own_mb(door.pid),
    }


async def system_calls(door: DoorProcess) -> Figures:
    """System calls a second of the door, as strace counts them."""
    count = ("strace", "-f", "-c", "-p", str(door.pid))
    tracing = await asyncio.create_subprocess_exec(*count, stderr=asyncio.subprocess.PIPE)
    began = time.monotonic()
    await asyncio.sleep(TRACED_S)
    took_s = time.monotonic() - began
    tracing.terminate()
    _, said = await tracing.communicate()
    rows = [line.split() for line in said.decode().splitlines() if line.strip()]
    (total,) = (row for row in rows if row[-1] == "total")
    calls = {f"syscall_{row[-1]}": int(row[3]) / took_s for row in rows if row[0][0].isdigit() and row[-1] != "total"}
    return {"syscalls": int(total[3]) / took_s} | calls


async def _take(track: MediaStreamTrack, frames: Counter[str]) -> None:
    while True:
        await track.recv()
        frames[track.kind] += 1


@asynccontextmanager
async def call(credential: Path, *, video: bool, silent: bool) -> AsyncIterator[Counter[str]]:
    """The resident calls the door, and talks, or is silent; the frames that they hear."""
    media = RedundantMedia(audio=AudioStreamTrack if silent else voice)
    watching: list[asyncio.Task[None]] = []
    frames: Counter[str] = Counter()
    media.tracks_stream.subscribe(lambda arrived: watching.append(asyncio.ensure_future(_take(arrived[1], frames))))
    async with SignalWire(SpaceCredentials(credential), media=media) as client:
        await client.register()
        dialled = await client.dial("/private/door", receive_video=video)
        async with asyncio.timeout(60):
            while len(watching) < 1 + video:
                await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_S)
        yield frames
        await dialled.hangup()
        for task in watching:
            task.cancel()


async def door_case(case: str, directory: Path, film: str) -> Figures:
    """Figures of one case of the door."""
    door, resident, state = directory / "door.json", directory / "resident.json", directory / case
    run = ("-m", "bench._film_door", film, RUN[-1]) if case in ("av", "syscalls", "camera_on") else RUN
    more = "always_on = true\n" if case == "camera_on" else ""
    if case == "idle":
        async with door_process(state, door):  # the first start compiles, and reads the files
            pass
    async with door_process(state, door, canceller=CALLS.get(case, "webrtc"), run=run, more=more) as process:
        if case == "idle":
            registered = process.cpu_s() * 1000
            await asyncio.sleep(SETTLE_S)
            return {"registered_minsn": registered} | await window(process)
        if case == "camera_on":
            await asyncio.sleep(SETTLE_S)
            return await window(process)
        async with call(resident, video=len(run) > len(RUN), silent=case == "silent") as frames:
            if case == "syscalls":
                return await system_calls(process)
            heard, began = frames["audio"], time.monotonic()
            figures = await window(process)
            return figures | {"heard_per_s": (frames["audio"] - heard) / (time.monotonic() - began)}


async def command(*words: str, socket: Path | None = None) -> Figures:
    """Million instructions of one command of the command line, its files in the page cache and compiled."""
    # By its place and not by an option: with that the command is read by the parser, which people's `status` is not.
    environ = os.environ if socket is None else {**os.environ, "INTERCOM_SOCKET": str(socket)}

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "intercom", *words], env=environ, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    await asyncio.to_thread(once)
    return {"minsn": await asyncio.to_thread(once)}


async def status(directory: Path) -> Figures:
    """Of `intercom status`, which a registered door answers."""
    state = directory / "status"
    async with door_process(state, directory / "door.json"):
        return await command("status", socket=state / NAME)


async def door_off(directory: Path) -> Figures:
    """Of `intercom door-off`, which drives a pin of the board's own GPIO chip."""
    config = directory / "door-off.toml"
    config.write_text('[panel]\npins = "gpio"\n[door]\nrelay_gpio = 5\n', encoding="utf-8")
    return await command("door-off", "--config", str(config))


COMMANDS = {"status": status, "door_off": door_off}


async def measure_peer() -> tuple[float, float]:
    """Million instructions a second of the process that this runs in, and its memory in MB."""
    await asyncio.sleep(SETTLE_S)
    spent, began = time.process_time_ns(), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    minsn = (time.process_time_ns() - spent) / MILLION / (time.monotonic() - began)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return minsn, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main(film: str, cases: list[str]) -> None:
    """Count each case, and tell it as soon as it is counted."""
    _door_process.START_LIMIT_S = 300.0
    know_telephone_events()  # as every browser does; without them the door listens for keys in the sound itself
    see_nothing()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        async with space_process(directory):
            for case in cases:
                if case in COMMANDS:
                    figures = await COMMANDS[case](directory)
                elif case in PEERS:
                    minsn, rss_mb = await asyncio.to_thread(stock_call, measure_peer, PEERS[case])
                    figures = {"minsn": minsn, "rss_mb": rss_mb}
                else:
                    figures = await door_case(case, directory, film)
                print(json.dumps({"case": case} | figures), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
