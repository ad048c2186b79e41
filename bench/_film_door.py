"""The door station with a camera whose own encoder costs nothing, as a Pi's: `python -m bench._film_door FILM run …`.

FILM is a file of pickled access units. All else is `intercom run`.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

from intercom.config import Config
from intercom.service import memory

memory.stay_small()  # as `intercom run` does before it imports what follows

from bench.video_cost import HardwareSource  # noqa: E402
from intercom.cli import main  # noqa: E402
from intercom.door import appliance  # noqa: E402
from intercom.media.camera.shared import Camera  # noqa: E402


class FilmDoor(appliance.Appliance):
    """The appliance with the film before its lens."""

    film = Path()

    def __init__(self, config: Config, *, state_dir: Path, pin_factory: Any = None) -> None:
        super().__init__(config, state_dir=state_dir, pin_factory=pin_factory)
        film = HardwareSource(pickle.loads(self.film.read_bytes()))
        self.camera = Camera(film, always_on=config.camera.always_on)


if __name__ == "__main__":
    FilmDoor.film = Path(sys.argv[1])
    appliance.Appliance = FilmDoor  # type: ignore[misc]
    sys.exit(main.main(sys.argv[2:]))
