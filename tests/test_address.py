"""Addresses: parsed once, listed without surprises, shown without harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.address import LONGEST, Address, Form, is_listed
from intercom.config.fields import CALLER, DESTINATION


@pytest.mark.parametrize(
    ("raw", "form", "text"),
    [
        ("/private/anna", Form.PRIVATE, "/private/anna"),
        ("/private/anna?channel=audio", Form.PRIVATE, "/private/anna"),
        ("/public/echo", Form.PUBLIC, "/public/echo"),
        ("+15551234567", Form.PHONE, "+15551234567"),
        ("SIP:Anna@Example.COM", Form.SIP, "sip:Anna@example.com"),
        ("sip:anna@[2001:db8::1]:5060", Form.SIP, "sip:anna@[2001:db8::1]:5060"),
        ("1000", Form.OTHER, "1000"),
        ("", Form.OTHER, ""),
        ("/private/an\x1b[2Jna", Form.OTHER, "/private/an\x1b[2Jna"),
        ("sip:\ud800@b", Form.OTHER, "sip:\ud800@b"),
        ("sip:\x1b[31m@b", Form.OTHER, "sip:\x1b[31m@b"),
        ("sip:\u202eanna@b", Form.OTHER, "sip:\u202eanna@b"),
    ],
)
def test_an_address_is_one_of_its_forms_or_none(raw: str, form: Form, text: str) -> None:
    assert Address.parse(raw) == Address(form, text)


def test_an_address_that_is_too_long_is_none() -> None:
    assert Address.parse("sip:" + "a" * LONGEST + "@b").form is Form.OTHER


def test_brackets_in_an_entry_are_letters_and_not_a_choice_of_them() -> None:
    assert not is_listed(Address.parse("sip:anna@2"), ["sip:anna@[2001:db8::1]"])
    assert is_listed(Address.parse("sip:anna@[2001:db8::1]"), ["sip:anna@[2001:db8::1]"])


def test_a_question_mark_in_an_entry_stands_for_no_letter() -> None:
    assert not is_listed(Address.parse("/private/anna"), ["/private/ann?"])


def test_every_member_is_on_the_list_of_all_members_and_no_one_else_is() -> None:
    assert is_listed(Address.parse("/private/anna"), ["/private/*"])
    assert not is_listed(Address.parse("/public/anna"), ["/private/*"])
    assert not is_listed(Address.parse("/private/anna/../../public"), ["/private/*"])


def test_who_shows_an_address_of_another_does_not_become_them() -> None:
    assert not is_listed(Address.parse("/private/anna\x00"), ["/private/anna"])
    assert not is_listed(Address.parse("sip:anna?@b"), ["sip:anna?@b", "sip:*"])


def test_a_host_does_not_mind_capitals_and_a_user_does() -> None:
    assert is_listed(Address.parse("sip:anna@B.example"), ["SIP:anna@b.EXAMPLE"])
    assert not is_listed(Address.parse("sip:Anna@b.example"), ["sip:anna@b.example"])


def test_an_address_is_shown_short_and_without_what_a_terminal_obeys() -> None:
    assert str(Address.parse("sip:\x1b[31manna\u202e@b\n")) == "sip:?[31manna?@b?"
    assert len(str(Address.parse("x" * 10_000))) == 128


@given(st.text(max_size=300))
def test_whatever_comes_is_shown_on_one_line(raw: str) -> None:
    shown = str(Address.parse(raw))
    assert (shown == "" or shown.isprintable()) and len(shown) <= 128


@given(st.text(max_size=80), st.text(max_size=80))
def test_an_entry_without_a_star_means_its_own_address_alone(raw: str, entry: str) -> None:
    entry = entry.replace("*", "")
    address = Address.parse(raw)
    assert is_listed(address, [entry]) == (address.form is not Form.OTHER and address == Address.parse(entry))


@pytest.mark.parametrize("bad", ["sip:\ud800@b", "sip:\x1b[2J@b", "sip:\u202e@b", "sip:" + "a" * 1000 + "@b"])
def test_what_cannot_be_shown_is_no_address_to_call_and_none_to_list(bad: str) -> None:
    assert not DESTINATION.accepts(bad)
    assert not CALLER.accepts(bad)
