"""The reference client's newest state does what npm's does: the same tests, with it.

It binds no token: it asks fabric.signalwire.com for that, whatever host its token names.
"""

from __future__ import annotations

import pytest

from . import test_members_of_a_call, test_reference
from .components import NewestClient, why_no_components
from .test_members_of_a_call import test_its_microphone_button_tells_the_truth
from .test_reference import (
    test_a_page_that_was_reloaded_takes_its_call_back,
    test_it_comes_back_after_its_socket_was_cut_and_its_call_goes_on,
    test_it_connects_registers_and_knows_who_it_is,
    test_it_dials_and_is_answered,
    test_it_hears_itself_at_the_echo,
    test_it_holds_and_resumes_a_call,
    test_it_reads_the_directory_page_by_page,
    test_it_rejects_a_call,
    test_its_dial_rejects_where_nobody_can_be_called,
    test_its_preflight_finds_the_way_free,
    test_the_door_calls_it_and_both_hear_and_see_each_other,
    test_the_echo_takes_its_ice_restart_and_its_page_loaded_anew,
    test_the_far_end_takes_its_ice_restart,
)

__all__ = [
    "test_a_page_that_was_reloaded_takes_its_call_back",
    "test_it_comes_back_after_its_socket_was_cut_and_its_call_goes_on",
    "test_it_connects_registers_and_knows_who_it_is",
    "test_it_dials_and_is_answered",
    "test_it_hears_itself_at_the_echo",
    "test_it_holds_and_resumes_a_call",
    "test_it_reads_the_directory_page_by_page",
    "test_it_rejects_a_call",
    "test_its_dial_rejects_where_nobody_can_be_called",
    "test_its_microphone_button_tells_the_truth",
    "test_its_preflight_finds_the_way_free",
    "test_the_door_calls_it_and_both_hear_and_see_each_other",
    "test_the_echo_takes_its_ice_restart_and_its_page_loaded_anew",
    "test_the_far_end_takes_its_ice_restart",
]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(bool(why_no_components()), reason=why_no_components()),
]


@pytest.fixture(autouse=True)
def newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have these tests open a page with the newest client."""
    for module in (test_reference, test_members_of_a_call):
        monkeypatch.setattr(module, "ReferenceClient", NewestClient)
