"""Two clients with one resume state: widgets of one page, or a duplicated tab, share what the browser keeps for it."""

from __future__ import annotations

from intercom.space.switch.sessions.sessions import TAKEN_WINDOW_S

from ...switchboard import Switchboard

REFERENCE = "signalwire-js/4.0.0"


def two_pages() -> Switchboard:
    """A house whose kitchen has the reference client, in two pages."""
    return Switchboard("door", "kitchen", agents={"kitchen": REFERENCE})


def resumes(house: Switchboard, link: str, protocol: str) -> bool:
    """Whether a client gets a session at a new link; otherwise it is told to begin afresh."""
    return "result" in house.connect(link, "kitchen", protocol=protocol, authorization_state=protocol)


def test_two_clients_that_take_a_session_from_each_other_are_parted_and_the_first_keeps_it() -> None:
    house = two_pages()
    session = house.protocols["kitchen"]
    assert resumes(house, "widget", session)
    house.lose("kitchen", closed=True)
    assert resumes(house, "page", session)
    house.lose("widget", closed=True)
    assert not resumes(house, "widget again", session)
    assert "page" not in house.closed


def test_a_client_whose_network_changes_again_and_again_keeps_its_session() -> None:
    house = two_pages()
    session = house.protocols["kitchen"]
    for attempt in range(10):
        assert resumes(house, f"socket {attempt}", session)
        house.lose("kitchen" if attempt == 0 else f"socket {attempt - 1}")


def test_a_client_of_ours_that_closes_its_old_socket_whenever_its_network_changes_keeps_its_session() -> None:
    house = Switchboard("door", "kitchen")
    session = house.protocols["kitchen"]
    for attempt in range(10):
        assert resumes(house, f"socket {attempt}", session)
        house.lose("kitchen" if attempt == 0 else f"socket {attempt - 1}", closed=True)


def test_a_session_that_two_clients_had_is_resumed_once_its_client_is_gone() -> None:
    house = two_pages()
    session = house.protocols["kitchen"]
    resumes(house, "widget", session)
    house.lose("kitchen", closed=True)
    resumes(house, "page", session)
    house.lose("widget", closed=True)
    house.lose("page")
    assert resumes(house, "page again", session)


def test_the_fight_is_forgotten() -> None:
    house = two_pages()
    session = house.protocols["kitchen"]
    resumes(house, "widget", session)
    house.lose("kitchen", closed=True)
    resumes(house, "page", session)
    house.lose("widget", closed=True)
    house.wait(TAKEN_WINDOW_S)
    assert resumes(house, "tab", session)
