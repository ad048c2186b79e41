"""How many bits the picture may take, as reports come in."""

from hypothesis import given
from hypothesis import strategies as st

from intercom.media.video.bit_rate import FLOOR_BPS, PAUSE_MAX_S, PAUSE_S, RETURN_BPS, VideoRate

HIGHEST = 1_500_000


def sending(rate: VideoRate, bps: int, now_s: float) -> None:
    rate.sent(bps // 8, now_s)


def test_a_call_starts_with_what_the_configuration_allows() -> None:
    assert VideoRate(HIGHEST, 0).target_bps == HIGHEST


def test_what_was_sent_is_forgotten_though_the_far_end_estimates_nothing() -> None:
    rate = VideoRate(HIGHEST, 0)
    for picture in range(1000):
        rate.sent(5000, picture / 25)
    assert len(rate._sent) <= 26


def test_heavy_loss_lowers_the_target_by_half_the_loss() -> None:
    rate = VideoRate(HIGHEST, 0)
    rate.lost(0.2, 1)
    assert rate.target_bps == HIGHEST * 0.9


def test_a_little_loss_changes_nothing() -> None:
    rate = VideoRate(HIGHEST, 0)
    rate.lost(0.2, 1)
    before = rate.target_bps
    rate.lost(0.05, 2)
    assert rate.target_bps == before


def test_without_loss_the_target_grows_by_eight_percent_a_second() -> None:
    rate = VideoRate(HIGHEST, 0)
    rate.lost(0.5, 1)
    before = rate.target_bps
    rate.lost(0, 2)
    assert rate.target_bps == round(before * 1.08)


def test_an_estimate_that_falls_below_what_is_sent_is_believed() -> None:
    rate = VideoRate(HIGHEST, 0)
    rate.estimated(1_400_000, 0.5)
    sending(rate, 1_400_000, 1)
    rate.estimated(800_000, 1)
    assert rate.target_bps == 720_000


def test_an_estimate_that_only_lags_behind_a_new_movement_is_not() -> None:
    rate = VideoRate(HIGHEST, 0)
    rate.estimated(110_000, 1)
    sending(rate, 1_400_000, 2)
    rate.estimated(118_000, 2)
    assert rate.target_bps == HIGHEST


def test_an_estimate_that_falls_while_a_still_picture_is_sent_is_not() -> None:
    rate = VideoRate(HIGHEST, 0)
    rate.estimated(110_000, 1)
    sending(rate, 90_000, 2)
    rate.estimated(70_000, 2)
    assert rate.target_bps == HIGHEST


def lose_the_picture(rate: VideoRate, now_s: float) -> float:
    while rate.target_bps:
        now_s += 1
        rate.lost(0.5, now_s)
    return now_s


def test_below_the_floor_the_picture_goes() -> None:
    rate = VideoRate(HIGHEST, 0)
    lose_the_picture(rate, 0)
    assert rate.target_bps == 0


def test_the_picture_is_tried_again_with_room_above_the_floor() -> None:
    rate = VideoRate(HIGHEST, 0)
    gone_s = lose_the_picture(rate, 0)
    assert not rate.may_return(gone_s + PAUSE_S - 0.1)
    assert rate.may_return(gone_s + PAUSE_S)
    assert rate.target_bps == RETURN_BPS


def test_each_try_that_fails_at_once_doubles_the_pause() -> None:
    rate = VideoRate(HIGHEST, 0)
    now_s = lose_the_picture(rate, 0) + PAUSE_S
    assert rate.may_return(now_s)
    now_s = lose_the_picture(rate, now_s)
    assert not rate.may_return(now_s + PAUSE_S)
    assert rate.may_return(now_s + 2 * PAUSE_S)


reports = st.one_of(
    st.tuples(st.just("lost"), st.floats(0, 1)),
    st.tuples(st.just("estimated"), st.integers(0, 10_000_000)),
    st.tuples(st.just("sent"), st.integers(0, 200_000)),
)


@given(st.lists(st.tuples(reports, st.floats(0, 30))))
def test_whatever_is_reported_the_target_is_off_or_between_floor_and_highest(
    history: list[tuple[tuple[str, float], float]],
) -> None:
    rate, now_s = VideoRate(HIGHEST, 0), 0.0
    for (kind, value), step_s in history:
        now_s += step_s
        if kind == "lost":
            rate.lost(value, now_s)
        elif kind == "estimated":
            rate.estimated(int(value), now_s)
        else:
            rate.sent(int(value), now_s)
        assert rate.target_bps == 0 or FLOOR_BPS <= rate.target_bps <= HIGHEST
        rate.may_return(now_s)
    assert rate.target_bps or rate.may_return(now_s + PAUSE_MAX_S)
