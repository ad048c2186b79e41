"""One phone's secret: it lets in a crowd, whose calls leave no place for the door's, and shouts at all who ring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intercom.signalwire.wire.messages import new_id
from intercom.space.auth.pairing import INVITED_LIMIT, PairingCodes
from intercom.space.auth.tokens import Grant
from intercom.space.errors import PairingError
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store
from intercom.space.switch import call_control
from intercom.space.switch.calls.calls import RINGING_LIMIT
from intercom.space.switch.exchange import Exchange
from intercom.space.switch.message_fields import INFO_LIMIT_BYTES
from tests.space.conftest import House as RunningHouse
from tests.space.conftest import configure, house
from tests.space.switchboard import SDP, House, OpenGate, Switchboard

__all__ = ["configure", "house"]

CROWD = tuple(f"thief-{number}" for number in range(RINGING_LIMIT))
URL = "https://house"


class GateWithADoor(OpenGate):
    """It knows a door."""

    def admit(self, token: object, _proof: object, *, method: str, even_expired: bool) -> Grant:
        grant = super().admit(token, _proof, method=method, even_expired=even_expired)
        return Grant(Subscriber("door", "door", "Front door", "door"), "jti", 0) if token == "door" else grant


def ring(board: Switchboard, caller: str) -> dict[str, Any] | None:
    dialog = {"destination_number": "/private/anna"}
    return board.verto(caller, "verto.invite", new_id(), sdp=SDP, dialog=dialog)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "space.sqlite3", now=lambda: 1000.0)


def test_a_door_rings_however_many_calls_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_control, "CALLS_LIMIT", RINGING_LIMIT)
    people = ("anna", "door", *CROWD)
    exchange = Exchange(GateWithADoor(people), House(people), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0)
    board = Switchboard(*people, exchange=exchange)
    for thief in CROWD:
        assert "result" in (ring(board, thief) or {})
    assert "error" in (ring(board, thief) or {})
    board.heard["anna"].clear()
    assert "result" in (ring(board, "door") or {})
    assert board.heard["anna"][-1]["params"]["caller_kind"] == "door"


def test_devices_let_in_only_so_many_others_by_whatever_codes(store: Store) -> None:
    codes = PairingCodes(store, now=lambda: 1000.0)
    maker = store.add_subscriber("phone-0")
    for number in range(1, INVITED_LIMIT + 1):
        by = codes.claim(codes.invite(URL, maker=maker).code).invited_by
        maker = store.add_subscriber(f"phone-{number}", invited_by=by)
    with pytest.raises(PairingError, match="intercom space pair"):
        codes.invite(URL, maker=maker)


def test_the_owner_lets_in_whom_they_want_all_the_same(store: Store) -> None:
    for number in range(INVITED_LIMIT):
        store.add_subscriber(f"phone-{number}", invited_by="thief")
    codes = PairingCodes(store, now=lambda: 1000.0)
    assert codes.claim(codes.invite(URL).code).invited_by == ""


async def test_a_phone_is_told_that_the_house_is_full(house: RunningHouse) -> None:
    store = house.space.store
    for number in range(INVITED_LIMIT):
        store.add_subscriber(f"phone-{number}", invited_by="thief")
    secret = store.add_device(store.add_subscriber("kitchen"), "Kitchen")
    headers = {"Authorization": f"Bearer {secret}"}
    async with house.http.post(f"{house.space.url}/api/space/pairing", headers=headers) as answer:
        assert answer.status == 409


def test_what_one_end_tells_the_others_is_small() -> None:
    board = Switchboard("thief", "anna")
    theirs = board.call("thief", "anna")
    refused = board.verto("anna", "verto.info", theirs, intercom={"x": "x" * INFO_LIMIT_BYTES})
    assert "verto.info may have" in json.dumps(refused)
    assert board.heard["thief"] == []
