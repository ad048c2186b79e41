"""The pace of a viewer: a slow one loses pictures up to a keyframe, a stuck one its place."""

from __future__ import annotations

from intercom.integrations.rtsp.pace import KEYFRAME_EVERY_S, LEAST_BYTES, STUCK_S, Pace

FAR_BEHIND = LEAST_BYTES + 1


def begun() -> Pace:
    pace = Pace(100_000, 0.0)
    assert pace.passes(keyframe=True, behind=0, now_s=0.0)
    return pace


def test_a_viewer_begins_at_a_keyframe() -> None:
    pace = Pace(100_000, 0.0)
    assert not pace.passes(keyframe=False, behind=0, now_s=0.0)
    assert pace.passes(keyframe=True, behind=0, now_s=0.0)
    assert pace.left_out == 0, "what came before it began was never missed"


def test_one_that_keeps_up_gets_every_picture() -> None:
    pace = begun()
    assert all(pace.passes(keyframe=False, behind=0, now_s=n / 25) for n in range(100))


def test_a_slow_one_goes_on_at_the_next_keyframe() -> None:
    pace = begun()
    assert not pace.passes(keyframe=False, behind=FAR_BEHIND, now_s=1.0)
    assert not pace.passes(keyframe=False, behind=0, now_s=1.1), "a picture after a gap would be torn"
    assert pace.passes(keyframe=True, behind=0, now_s=1.2)
    assert pace.left_out == 2


def test_not_even_a_keyframe_is_added_to_a_long_queue() -> None:
    assert not begun().passes(keyframe=True, behind=FAR_BEHIND, now_s=1.0)


def test_a_lost_packet_is_healed_by_a_keyframe_alone() -> None:
    pace = begun()
    pace.cut_off()
    assert not pace.passes(keyframe=False, behind=0, now_s=0.1)
    assert pace.passes(keyframe=True, behind=0, now_s=0.2)


def test_keyframes_come_regularly() -> None:
    pace = begun()
    assert not pace.wants_keyframe(KEYFRAME_EVERY_S - 0.1)
    assert pace.wants_keyframe(KEYFRAME_EVERY_S)
    assert not pace.wants_keyframe(KEYFRAME_EVERY_S + 0.1), "it was asked for a moment ago"


def test_a_viewer_that_takes_nothing_is_stuck_after_a_while() -> None:
    pace = begun()
    pace.takes(FAR_BEHIND, 1.0)
    assert not pace.is_stuck(STUCK_S - 1)
    assert pace.is_stuck(STUCK_S + 1)


def test_a_viewer_that_takes_a_little_is_only_slow() -> None:
    pace = begun()
    for second in range(60):
        pace.takes(FAR_BEHIND - second, float(second))
    assert not pace.is_stuck(60.0)
