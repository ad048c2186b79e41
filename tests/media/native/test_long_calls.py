"""Half an hour of calling: the linear filter takes the echo away at its end as at its beginning."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.echo.linear import CompiledFilter
from intercom.media.echo.webrtc import CANCELLER_HZ
from intercom.media.native import module
from intercom.media.sound.format import level_db
from tests.media.native.test_linear_filter import scene

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

TURNS = 18
"""Each is 20 s of the house alone, 20 s of both, 20 s of noise at the door and 40 s of silence: half an hour in all."""


def test_after_half_an_hour_the_echo_is_taken_away_as_in_the_first_minute() -> None:
    linear = CompiledFilter()
    alone, both, noise = scene("the far end alone"), scene("both speak"), scene("noise that is no echo")
    silence = np.zeros(20 * CANCELLER_HZ, np.int16)
    losses_db = []
    for _ in range(TURNS):
        near, far = alone
        left = linear.process(near, far)
        half = len(near) // 2
        losses_db.append(level_db(near[half:]) - level_db(left[half:]))
        linear.process(*both)
        linear.process(*noise)
        linear.process(silence, silence)
        assert not linear.process(silence, silence).any()
    assert min(losses_db) > 10
    assert losses_db[-1] > losses_db[0] - 1
