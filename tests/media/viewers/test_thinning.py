"""Which pictures a viewer on a slow path gets."""

from __future__ import annotations

from intercom.media.viewers.thinning import Thinning

CAMERA_BPS = 1_000_000
EVERY_S = 0.04
SIZE = 5_000
"""A picture of a camera that sends 25 of them a second at CAMERA_BPS."""


class Path:
    """A viewer's pictures, 25 a second, with a keyframe whenever it waits for one."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.thinning = Thinning(CAMERA_BPS, self.now_s)
        self.sent: list[bool] = []
        "for each picture that was sent, whether it is a keyframe"

    def film(self, seconds: float, *, keyframes: bool = True) -> float:
        """Film for some seconds; return the share of the camera's bits that was sent."""
        pictures = round(seconds / EVERY_S)
        sent = 0
        for _ in range(pictures):
            self.now_s += EVERY_S
            keyframe = keyframes and self.thinning.waits_for_keyframe
            if self.thinning.passes(SIZE, self.now_s, keyframe=keyframe):
                sent += 1
                self.sent.append(keyframe)
        return sent / pictures


def test_a_path_that_carries_everything_gets_every_picture() -> None:
    assert Path().film(10) == 1.0


def test_a_path_that_loses_gets_no_more_than_it_carries() -> None:
    path = Path()
    path.film(1)
    path.thinning.rate.lost(0.5, path.now_s)
    path.thinning.rate.lost(0.5, path.now_s)
    assert 0.4 < path.film(10) < 0.7


def test_after_a_gap_the_picture_begins_again_with_a_keyframe() -> None:
    path = Path()
    path.thinning.rate.lost(0.9, path.now_s)
    assert path.film(3, keyframes=False) < 0.5
    before = len(path.sent)
    path.film(3)
    assert path.sent[before], "the first picture after the gap"


def test_a_path_that_recovers_gets_everything_again() -> None:
    path = Path()
    path.thinning.rate.lost(0.5, path.now_s)
    for _ in range(60):
        path.film(1)
        path.thinning.rate.lost(0.0, path.now_s)
    assert path.film(5) == 1.0


def test_a_path_that_carries_nothing_gets_nothing_for_a_while() -> None:
    path = Path()
    path.film(1)
    for _ in range(10):
        path.thinning.rate.lost(0.9, path.now_s)
    assert path.film(5) == 0.0
    assert path.film(10) > 0.0, "it is tried again"
