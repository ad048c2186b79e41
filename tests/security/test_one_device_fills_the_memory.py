"""One device's secret: sessions that acknowledge nothing, and calls with the largest offers that are taken."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from intercom.space.kept_frames import COUNT_LIMIT, MEMBER_LIMIT_BYTES, SESSION_LIMIT_BYTES, KeptBytes, KeptFrames
from intercom.space.router import CALLS_PER_SUBSCRIBER_LIMIT, VARIABLES_LIMIT_BYTES
from tests.space.switchboard import SDP, Switchboard

LARGE = SDP + "a=x:" + "x" * 65_000 + "\r\n"


def call_house(board: Switchboard, caller: str, number: int, **dialog: object) -> dict[str, object]:
    dialog = {"destination_number": "/private/house", **dialog}
    answer = board.verto(caller, "verto.invite", f"call-{number}", sdp=LARGE, dialog=dialog)
    assert answer is not None
    return answer


def test_what_is_kept_for_sessions_that_acknowledge_nothing_is_bounded_in_bytes() -> None:
    board = Switchboard("thief", "silent")
    board.acknowledges = False
    for number in range(CALLS_PER_SUBSCRIBER_LIMIT):
        call_house(board, "thief", number)
    kept = board.exchange.kept_bytes("silent")
    assert 0 < kept <= MEMBER_LIMIT_BYTES


def test_a_subscriber_makes_only_so_many_calls_from_however_many_pages() -> None:
    board = Switchboard("thief", "anna")
    board.connect("second page", "thief")
    for number in range(CALLS_PER_SUBSCRIBER_LIMIT):
        assert "result" in call_house(board, "thief" if number % 2 else "second page", number)
    refused = call_house(board, "second page", 99)
    assert "too many calls" in json.dumps(refused)


def test_what_a_caller_sends_along_is_small() -> None:
    board = Switchboard("thief", "anna")
    refused = call_house(board, "thief", 1, userVariables={"x": "x" * VARIABLES_LIMIT_BYTES})
    assert "userVariables may have" in json.dumps(refused)


def test_what_was_kept_is_given_back_when_the_session_ends() -> None:
    board = Switchboard("thief", "silent")
    board.acknowledges = False
    call_house(board, "thief", 1)
    board.exchange.disconnected("silent", board.now)
    board.wait(120)
    assert board.exchange.kept_bytes("silent") == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300_000), st.booleans()), max_size=60))
def test_kept_frames_never_pass_their_limits_and_count_what_they_hold(
    steps: list[tuple[int, int, bool]],
) -> None:
    member = KeptBytes()
    sessions = [KeptFrames(member) for _ in range(6)]
    for number, (which, size, forgets) in enumerate(steps):
        sessions[which].keep(str(number), "x" * size)
        if forgets:
            sessions[which].forget(str(number))
        held = [[len(text) for text in session.texts()] for session in sessions]
        assert all(len(sizes) <= COUNT_LIMIT and sum(sizes) <= SESSION_LIMIT_BYTES for sizes in held)
        assert sum(map(sum, held)) == member.used <= MEMBER_LIMIT_BYTES


def test_the_newest_frame_is_kept_before_older_ones() -> None:
    kept = KeptFrames()
    for number in range(COUNT_LIMIT + 1):
        kept.keep(str(number), "text")
    assert next(iter(kept)) == "1"
    assert [*kept][-1] == str(COUNT_LIMIT)
