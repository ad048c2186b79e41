"""The door station with a camera whose own encoder costs nothing, as a Pi's: `python -m bench._film_door FILM run …`.

FILM is a file of pickled (H.264, whether it is a keyframe). All else is `intercom run`.
"""

from __future__ import annotations

import pickle
import sys
import threading
import time
from pathlib import Path
from typing import Any

from intercom import footprint
from intercom.config import Config

footprint.stay_small()  # as `intercom run` does before it imports what follows

from intercom import appliance, cli  # noqa: E402
from intercom.media.camera_encoder import VideoFormat  # noqa: E402
from intercom.media.camera_shared import Camera  # noqa: E402
from intercom.media.camera_source import Deliver, VideoClock  # noqa: E402
from intercom.media.h264 import AccessUnit  # noqa: E402

VIDEO = VideoFormat(1280, 720, 25, 1_500_000)


class FilmSource:
    """A camera that has encoded its pictures already."""

    name = "film"
    description = f"{VIDEO}, encoded elsewhere"
    bitrate_bps = VIDEO.bitrate_bps
    processor_share = None

    def __init__(self, file: Path) -> None:
        self._pictures: list[tuple[bytes, bool]] = pickle.loads(file.read_bytes())
        self._times = VideoClock()

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        due, count = time.monotonic(), 0
        while not stopping.wait(max(0.0, due - time.monotonic())):
            data, keyframe = self._pictures[count % len(self._pictures)]
            deliver(AccessUnit(data, self._times.pts(), keyframe))
            count += 1
            due += 1 / VIDEO.frame_rate

    def request_keyframe(self) -> None:
        """The next one comes with the film."""

    def set_bitrate(self, bitrate_bps: int) -> None:
        """The film is what it is."""

    def snapshot(self) -> bytes:
        raise OSError("a film gives no stills")


class FilmDoor(appliance.Appliance):
    """The appliance with the film before its lens."""

    film = Path()

    def __init__(self, config: Config, *, state_dir: Path, pin_factory: Any = None) -> None:
        super().__init__(config, state_dir=state_dir, pin_factory=pin_factory)
        self.camera = Camera(FilmSource(self.film))


if __name__ == "__main__":
    FilmDoor.film = Path(sys.argv[1])
    appliance.Appliance = FilmDoor  # type: ignore[misc]
    sys.exit(cli.main(sys.argv[2:]))
