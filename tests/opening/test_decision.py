"""The decision who may open the door, for whatever facts there are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from intercom.address import Address, Form, is_listed
from intercom.opening.decision import ECHO_S, RESIDENTS, Code, KeyFacts, Kind, Rules, Ruling, Way, may_open

ADDRESSES = st.sampled_from(
    [
        "/private/anna",
        "/private/gate",
        "/private/house?channel=audio",
        "/public/echo",
        "+15551234567",
        "sip:anna@[2001:db8::1]",
        "sip:anna@2",
        "1000",
        "",
        "sip:\x1b[2J@b",
    ]
).map(Address.parse)
OPENERS = st.lists(
    st.sampled_from(
        ["*", RESIDENTS, "/private/*", "/private/anna", "/public/echo", "+15551234567", "sip:anna@[2001:db8::1]"]
    ),
    max_size=4,
).map(tuple)
MOSTLY = st.sampled_from([True, True, True, False])
"""A door that never opens proves nothing."""
FACTS = st.builds(
    KeyFacts,
    address=ADDRESSES,
    kind=st.sampled_from(Kind),
    outbound=st.booleans(),
    answered=MOSTLY,
    echo_s=st.none() | st.floats(0, 5),
    code=st.sampled_from([Code.RIGHT, *Code]),
    deaf=MOSTLY.map(lambda hears: not hears),
)
RULES = st.builds(Rules, openers=OPENERS, has_code=MOSTLY, hears_tones=st.booleans())
KEYS = st.sampled_from([Way.SIGNALLING, Way.EVENTS, Way.TONES])


@given(KEYS, FACTS, RULES)
def test_a_key_opens_only_with_all_that_is_needed(way: Way, facts: KeyFacts, rules: Rules) -> None:
    if may_open(way, facts, rules) is not Ruling.OPENS:
        return
    assert facts.answered and rules.has_code and facts.code is Code.RIGHT and not facts.deaf
    assert facts.address.form is not Form.PUBLIC and facts.kind is not Kind.DOOR
    assert way is not Way.TONES or rules.hears_tones
    assert is_listed(facts.address, rules.openers) or (facts.kind is Kind.RESIDENT and RESIDENTS in rules.openers)


@given(KEYS, FACTS, RULES, st.floats(0, ECHO_S))
def test_an_echo_never_opens_by_whatever_way_it_comes(way: Way, facts: KeyFacts, rules: Rules, echo_s: float) -> None:
    assert may_open(way, replace(facts, echo_s=echo_s), rules) is not Ruling.OPENS


@given(KEYS, FACTS, RULES)
def test_a_caller_whom_only_the_star_means_never_opens(way: Way, facts: KeyFacts, rules: Rules) -> None:
    called = replace(facts, outbound=False)
    assert may_open(way, called, replace(rules, openers=("*",))) is not Ruling.OPENS


@given(KEYS, FACTS, RULES, st.sampled_from([Code.RIGHT, Code.WRONG]))
def test_the_code_is_judged_only_for_who_may_open_a_door_that_hears(
    way: Way, facts: KeyFacts, rules: Rules, code: Code
) -> None:
    ruling = may_open(way, replace(facts, code=code), rules)
    other = may_open(way, replace(facts, code=Code.WRONG if code is Code.RIGHT else Code.RIGHT), rules)
    judged = {Ruling.OPENS, Ruling.WRONG_CODE}
    assert ruling is other or {ruling, other} == judged


@given(KEYS, FACTS, RULES, ADDRESSES)
def test_more_openers_never_shut_anybody_out(way: Way, facts: KeyFacts, rules: Rules, more: Address) -> None:
    wider = replace(rules, openers=(*rules.openers, more.text))
    if may_open(way, facts, rules) is Ruling.OPENS:
        assert may_open(way, facts, wider) is Ruling.OPENS


@given(KEYS, FACTS, RULES)
def test_no_key_opens_a_door_whose_box_was_opened(way: Way, facts: KeyFacts, rules: Rules) -> None:
    assert may_open(way, replace(facts, tampered=True), rules) is not Ruling.OPENS


@given(st.sampled_from([Way.CONTROL, Way.SSH, Way.EXIT]), RULES)
def test_whom_the_socket_s_mode_or_the_gate_let_in_opens_and_who_is_inside(way: Way, rules: Rules) -> None:
    assert may_open(way, None, rules) is Ruling.OPENS


@given(KEYS, RULES)
def test_keys_outside_of_a_call_open_nothing(way: Way, rules: Rules) -> None:
    assert may_open(way, None, rules) is Ruling.NO_CALL
