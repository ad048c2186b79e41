"""When a call's media is recovered, by which step, and when it is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire.call.recovery_policy import (
    ANY_PATH,
    AWAY_S,
    COOLDOWN_S,
    GRACE_S,
    LONGEST_S,
    MAX_RESTARTS,
    REFUSED_PAUSE_S,
    RESTART_TIMEOUT_S,
    SETTLE_S,
    RecoveryPolicy,
    RecoveryState,
    Rung,
)


def actions(policy: RecoveryPolicy) -> list[str]:
    return [event.action for event in policy.take()]


def test_a_short_interruption_is_left_alone() -> None:
    policy = RecoveryPolicy()
    policy.media("disconnected", 0.0)
    policy.media("connected", GRACE_S / 2)
    policy.tick(GRACE_S)
    assert actions(policy) == []


def test_restarts_come_one_after_another_and_then_it_is_over() -> None:
    policy, now = RecoveryPolicy(), GRACE_S
    policy.media("disconnected", 0.0)
    for _ in range(MAX_RESTARTS + 1):
        policy.tick(now)
        now += RESTART_TIMEOUT_S
    assert actions(policy) == ["keyframe", *["ice_restart"] * MAX_RESTARTS, "max_attempts_reached"]
    assert policy.state is RecoveryState.FAILED


def test_what_was_given_up_and_came_back_is_mended_again() -> None:
    policy, now = RecoveryPolicy(), GRACE_S
    policy.trouble("silence", now)
    for _ in range(MAX_RESTARTS):
        now += RESTART_TIMEOUT_S
        policy.tick(now)
    policy.media("connected", now)
    policy.take()
    policy.tick(now + COOLDOWN_S)
    policy.trouble("silence", now + COOLDOWN_S)
    assert actions(policy) == ["keyframe", "ice_restart"]


def test_after_a_restart_there_is_a_pause_and_silence_that_lasts_goes_on_up_the_ladder() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.trouble("silence", 2.0)
    assert actions(policy) == ["keyframe", "ice_restart", "ice_restarted"]
    policy.tick(1.0 + COOLDOWN_S)
    policy.trouble("silence", 20.0)
    assert policy.progress(20.0).tries == 2
    assert actions(policy) == ["ice_restart"]


def test_sound_that_comes_in_begins_the_ladder_anew() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.sound(1.1)
    assert (policy.state, policy.progress(1.1).tries) == (RecoveryState.COOLDOWN, 0)
    policy.tick(1.0 + COOLDOWN_S)
    policy.take()
    policy.trouble("silence", 20.0)
    assert actions(policy) == ["keyframe", "ice_restart"]


def climb(policy: RecoveryPolicy, now: float = 0.0) -> list[bool]:
    """Try everything; for each try whether it was for relayed paths only."""
    policy.trouble("silence", now)
    for _ in range(MAX_RESTARTS):
        now += RESTART_TIMEOUT_S
        policy.tick(now)
    return [event.relay_only for event in policy.take() if event.action == "ice_restart"]


def test_the_last_tries_are_for_relayed_paths_where_a_relay_is_known() -> None:
    assert climb(RecoveryPolicy(lambda: True)) == [False] * ANY_PATH + [True] * (MAX_RESTARTS - ANY_PATH)
    assert climb(RecoveryPolicy(lambda: False)) == [False] * MAX_RESTARTS


def test_without_the_service_nothing_is_tried_until_it_is_back() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.service(False, 1.0)
    policy.take()
    policy.tick(RESTART_TIMEOUT_S + 1.0)
    assert actions(policy) == []
    assert policy.progress(2.0).rung is Rung.SERVICE
    policy.service(True, 30.0)
    policy.tick(30.0 + SETTLE_S)
    assert actions(policy) == ["keyframe", "ice_restart"]


def test_a_service_that_stays_away_ends_the_ladder() -> None:
    policy = RecoveryPolicy()
    policy.service(False, 0.0)
    policy.trouble("silence", 1.0)
    policy.tick(1.0 + AWAY_S)
    assert actions(policy) == ["max_attempts_reached"]


def test_a_call_that_is_well_does_not_mind_the_service() -> None:
    policy = RecoveryPolicy()
    policy.service(False, 0.0)
    policy.sound(1.0)
    policy.service(True, 2.0)
    policy.network_changed(3.0)
    assert (actions(policy), policy.next_deadline()) == ([], None)


def test_a_changed_network_ends_the_pause() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.take()
    policy.network_changed(2.0)
    policy.trouble("silence", 2.5)
    assert actions(policy) == ["keyframe", "ice_restart"]


def test_an_offer_that_was_refused_is_made_again_soon() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.refused(0.1)
    assert policy.next_deadline() == 0.1 + REFUSED_PAUSE_S


def test_a_far_end_that_is_there_and_says_nothing_is_left_in_peace() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.keeps_silent()
    assert actions(policy) == ["keyframe", "ice_restart", "ice_restarted", "max_attempts_reached"]
    policy.tick(100.0)
    policy.trouble("silence", 100.0)
    assert actions(policy) == []


def test_a_silent_far_end_that_gives_no_sign_any_more_is_sought_on_every_path_that_is_left() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.keeps_silent()
    actions(policy)
    assert policy.go_on(4.0)
    assert actions(policy) == ["ice_restart"]
    for _ in range(MAX_RESTARTS):
        policy.tick(policy.next_deadline() or 0.0)
    assert policy.state is RecoveryState.FAILED
    assert not policy.go_on(100.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("connected", "disconnected", "sound", "silence", "up", "down", "changed", "refused")),
            st.floats(0.0, 20.0),
        ),
        max_size=40,
    )
)
def test_whatever_happens_silence_ends_in_sound_or_in_giving_up(steps: list[tuple[str, float]]) -> None:
    policy, now = RecoveryPolicy(lambda: True), 0.0
    tell = {
        "connected": lambda: policy.media("connected", now),
        "disconnected": lambda: policy.media("disconnected", now),
        "sound": lambda: policy.sound(now),
        "silence": lambda: policy.trouble("silence", now),
        "up": lambda: policy.service(True, now),
        "down": lambda: policy.service(False, now),
        "changed": lambda: policy.network_changed(now),
        "refused": lambda: policy.refused(now),
    }
    for what, wait_s in steps:
        now += wait_s
        policy.tick(now)
        tell[what]()
    ends_at = now + LONGEST_S
    while policy.state is not RecoveryState.FAILED:
        policy.trouble("silence", now)
        deadline = policy.next_deadline()
        if policy.state is RecoveryState.FAILED:
            break
        assert deadline is not None
        assert deadline <= ends_at
        now = deadline
        policy.tick(now)
    assert policy.progress(now).rung is Rung.GIVEN_UP


def test_video_makes_room_for_sound_with_a_margin() -> None:
    policy = RecoveryPolicy()
    for kbit in (400, 140, 200, 310, 200):
        policy.bandwidth(kbit * 1000)
    assert actions(policy) == ["video_off", "video_on"]


def test_keyframes_are_not_asked_for_without_end() -> None:
    policy = RecoveryPolicy()
    assert [policy.may_request_keyframe(at) for at in (0, 1, 2, 2.5, 11.9, 12.0)] == [
        *(True, True, True),
        *(False, False, True),
    ]
