"""Who belongs to the house: codes, the list of devices, and being thrown out, also from a second process's database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intercom.space import Invitation, Membership
from intercom.space.auth.credential import read_credential
from intercom.space.auth.pairing import ALPHABET, CODE_LIFETIME_S, CODE_LIMITS, PairingCodes
from intercom.space.errors import AddressError, DoorError, NoSpaceError, PairingError, TokenError
from intercom.space.shown_name import LIMIT_CHARS, shown_name
from intercom.space.space import MEMBERS_CHECK_S
from intercom.space.store.store import DATABASE, Store
from tests.space.auth.test_doors_and_keys import bearer
from tests.space.conftest import ANSWER, WAIT_S, Client, House

NOON = 1_800_000_000.0
DAY_S = 86_400.0
"""A second until the space looks, and one for a loaded machine."""


class Clock:
    """The time of day, as a test sets it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return Store(tmp_path / DATABASE, now=clock)


@pytest.fixture
def codes(store: Store, clock: Clock) -> PairingCodes:
    return PairingCodes(store, now=clock)


def code_of(invitation: Invitation) -> str:
    return parse_qs(urlsplit(invitation.url).fragment)["pair"][0]


async def pair(house: House, code: str, name: str = "Phone") -> tuple[int, dict[str, str]]:
    async with house.http.post(house.space.url + "/api/space/pair", json={"code": code, "name": name}) as answer:
        return answer.status, (await answer.json() if answer.status == 201 else {})


# -- codes ---------------------------------------------------------------------------------------------


def test_a_code_works_once(codes: PairingCodes) -> None:
    code = codes.invite("http://house").code
    codes.claim(code)
    with pytest.raises(PairingError):
        codes.claim(code)


def test_a_code_is_worthless_after_ten_minutes(codes: PairingCodes, clock: Clock) -> None:
    code = codes.invite("http://house").code
    clock.now += CODE_LIFETIME_S
    with pytest.raises(PairingError):
        codes.claim(code)


def test_a_code_from_before_the_clock_was_set_back_is_worthless(codes: PairingCodes, clock: Clock) -> None:
    code = codes.invite("http://house").code
    clock.now -= DAY_S
    with pytest.raises(PairingError):
        codes.claim(code)


def test_the_oldest_of_too_many_codes_gives_way(codes: PairingCodes, clock: Clock) -> None:
    made = []
    for _ in range(CODE_LIMITS.one_maker + 1):
        made.append(codes.invite("http://house").code)
        clock.now += 1
    with pytest.raises(PairingError):
        codes.claim(made[0])
    codes.claim(made[1])


def test_devices_cannot_push_out_the_owners_code(store: Store, codes: PairingCodes, clock: Clock) -> None:
    owners = codes.invite("http://house").code
    for number in range(CODE_LIMITS.devices + 1):
        clock.now += 1
        codes.invite("http://house", maker=store.add_subscriber(f"phone-{number}"))
    codes.claim(owners)


def test_one_device_cannot_push_out_anothers_code(store: Store, codes: PairingCodes, clock: Clock) -> None:
    annas = codes.invite("http://house", maker=store.add_subscriber("anna")).code
    for _ in range(CODE_LIMITS.devices + 1):
        clock.now += 1
        codes.invite("http://house", maker=store.add_subscriber("bob"))
    codes.claim(annas)


def test_a_code_dies_with_the_device_that_made_it(store: Store, codes: PairingCodes) -> None:
    code = codes.invite("http://house", maker=store.add_subscriber("phone")).code
    store.remove_subscriber("phone")
    with pytest.raises(PairingError):
        codes.claim(code)


def test_a_code_may_be_typed_as_people_type(codes: PairingCodes) -> None:
    sloppy = str.maketrans("01", "oi")
    for disguise in (str.lower, lambda code: code.replace("-", " "), lambda code: f" {code.translate(sloppy)}"):
        codes.claim(disguise(codes.invite("http://house").code))


def test_a_code_is_two_groups_of_five_characters_that_cannot_be_confused(codes: PairingCodes) -> None:
    first, second = codes.invite("http://house").code.split("-")
    assert (len(first), len(second)) == (5, 5)
    assert set(first + second) <= set(ALPHABET)
    assert not set("OILU") & set(ALPHABET)


def test_no_code_is_in_the_file(codes: PairingCodes, tmp_path: Path) -> None:
    invitation = codes.invite("http://house")
    kept = (tmp_path / DATABASE).read_bytes()
    assert code_of(invitation).encode() not in kept
    assert invitation.code.encode() not in kept


def test_of_two_who_use_one_code_at_once_one_is_refused(store: Store, codes: PairingCodes, tmp_path: Path) -> None:
    invitation = codes.invite("http://house")
    (kept,) = store.codes.known(NOON, NOON + CODE_LIFETIME_S)
    codes.claim(invitation.code)
    beside = Store(tmp_path / DATABASE, now=lambda: NOON)
    assert beside.codes.claim(kept, now=NOON, until=NOON + 60) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(typed=st.text(max_size=200))
def test_nothing_else_opens_the_house(codes: PairingCodes, typed: str) -> None:
    codes.invite("http://house")
    with pytest.raises(PairingError):
        codes.claim(typed)


@pytest.mark.parametrize("body", [b'{"code": "\\ud800"}', b'{"code": 5}', b"{", b"", b'{"code": ""}'])
async def test_what_is_no_code_is_refused_and_nothing_else(house: House, body: bytes) -> None:
    async with house.http.post(house.space.url + "/api/space/pair", data=body) as answer:
        assert (answer.status, await answer.read()) == (401, b"")


async def test_a_second_process_invites_to_the_space_that_runs(house: House, tmp_path: Path) -> None:
    with Membership(tmp_path / "state") as beside:
        invitation = beside.invite(name="Kitchen tablet")
    assert invitation.url.startswith(f"http://localhost:{house.space.port}/station/#pair=")
    assert parse_qs(urlsplit(invitation.url).fragment)["name"] == ["Kitchen tablet"]
    assert (await pair(house, invitation.code))[0] == 201


async def test_no_invitation_is_made_to_a_space_that_does_not_run(house: House, tmp_path: Path) -> None:
    await house.space.stop()
    with Membership(tmp_path / "state") as beside, pytest.raises(NoSpaceError, match="start it"):
        beside.invite()


def test_where_no_space_ever_was_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceError, match="--state-dir"):
        Membership(tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- a device invites another ----------------------------------------------------------------------------


async def test_a_paired_device_invites_another(house: House) -> None:
    _, first = await pair(house, house.space.invite().code)
    url = house.space.url + "/api/space/pairing"
    async with house.http.post(url, headers=bearer(first["device_secret"])) as answer:
        assert answer.status == 201
        invitation = await answer.json()
    drawn = ElementTree.fromstring(invitation["qr"])
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert code_of(Invitation(invitation["url"], "", 0)) == invitation["code"].replace("-", "")
    assert (await pair(house, invitation["code"], "Second"))[1]["address"] == "/private/second"


async def test_the_list_says_who_let_a_device_in(house: House, tmp_path: Path) -> None:
    _, first = await pair(house, house.space.invite().code, "First")
    async with house.http.post(
        house.space.url + "/api/space/pairing", headers=bearer(first["device_secret"])
    ) as answer:
        await pair(house, (await answer.json())["code"], "Second")
    with Membership(tmp_path / "state") as beside:
        assert {device.name: device.invited_by for device in beside.devices()} == {"First": "", "Second": "first"}
        gone = beside.remove("First")
        assert [device.name for device in beside.invited_by(gone)] == ["Second"]


@pytest.mark.parametrize("headers", [{}, bearer("guess")])
async def test_a_stranger_cannot_invite(house: House, headers: dict[str, str]) -> None:
    async with house.http.post(house.space.url + "/api/space/pairing", headers=headers) as answer:
        assert (answer.status, await answer.read()) == (401, b"")


# -- the list of devices -----------------------------------------------------------------------------------


async def test_the_list_says_who_can_sign_in_and_when_each_was_last_here(house: House, tmp_path: Path) -> None:
    house.space.enrol("door", "Front door")
    _, phone = await pair(house, house.space.invite().code, "Anna's phone")
    url = house.space.url + "/api/space/token"
    async with house.http.post(url, headers=bearer(phone["device_secret"])) as answer:
        assert answer.status == 200
    with Membership(tmp_path / "state") as beside:
        listed = {device.address: device for device in beside.devices()}
    assert set(listed) == {"/private/anna-s-phone", "/private/door"}
    assert listed["/private/anna-s-phone"].name == "Anna's phone"
    assert listed["/private/anna-s-phone"].seen_on > "2020"
    assert listed["/private/door"].seen_on == ""


def test_that_a_device_was_here_is_written_once_a_day(store: Store, clock: Clock, tmp_path: Path) -> None:
    secret = store.add_device(store.add_subscriber("phone"), "Phone")
    store.proofs.seen(secret)
    first_day = store.devices()[0].seen_on
    written = (tmp_path / DATABASE).stat().st_mtime_ns
    store.proofs.seen(secret)
    assert (tmp_path / DATABASE).stat().st_mtime_ns == written
    clock.now += DAY_S
    store.proofs.seen(secret)
    assert store.devices()[0].seen_on > first_day


# -- being thrown out --------------------------------------------------------------------------------------


async def test_a_removed_phone_is_thrown_out_within_a_second(house: House, tmp_path: Path) -> None:
    _, paired = await pair(house, house.space.invite().code)
    async with house.http.post(house.space.url + "/api/space/token", headers=bearer(paired["device_secret"])) as answer:
        token = (await answer.json())["token"]
    door, phone = await house.join("door"), await house.open()
    await phone.connect(token)
    await phone.rpc("subscriber.online")
    mine = await door.dial("/private/phone")
    await phone.verto("verto.answer", await phone.ringing(), sdp=ANSWER)
    await door.heard("verto.answer")
    with Membership(tmp_path / "state") as beside:
        assert beside.remove("Phone").address == "/private/phone"
    await asyncio.wait_for(phone.reader, WAIT_S)
    assert MEMBERS_CHECK_S < 1
    assert phone.socket.close_code == 1008
    assert (await door.heard("verto.bye"))["callID"] == mine
    again = await house.open()
    assert (await again.connect(token))["error"]["code"] == -32002
    async with house.http.post(house.space.url + "/api/space/token", headers=bearer(paired["device_secret"])) as answer:
        assert answer.status == 401


def test_what_another_process_changed_is_told_also_when_the_space_wrote_something_itself_meanwhile(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    store.add_subscriber("phone")
    store.changed_elsewhere()
    other = Store(tmp_path / DATABASE, now=clock)
    other.remove_subscriber("phone")
    other.close()
    store.add_subscriber("tablet")
    assert store.changed_elsewhere()
    assert not store.changed_elsewhere()
    assert store.subscriber("phone") is None


async def alarms_told(page: Client) -> list[str]:
    """Return the names of the doors with alarms that a page is told next."""
    event: dict[str, Any] = {"event_type": ""}
    while event["event_type"] != "intercom.alarms":
        event = await asyncio.wait_for(page.room_events.get(), WAIT_S)
    return [str(door["name"]) for door in event["params"]["doors"]]


@pytest.mark.parametrize("away", [False, True])
async def test_the_alarms_of_a_removed_door_go_with_it(house: House, tmp_path: Path, away: bool) -> None:
    front = house.space.store.add_subscriber("front", "Front door", kind="door")
    house.space.store.add_device(front, "Front door")
    page = await house.station("kitchen", agent="intercom-station/0.1 rings/1")
    door = await house.join("front")
    await door.rpc("intercom.alarms", {"alarms": ["tamper"]})
    assert await alarms_told(page) == ["Front door"]
    if away:
        house.space.exchange.expel(front.id)  # as once the session of a door that is away has run out
    with Membership(tmp_path / "state") as beside:
        beside.remove("front", even_a_door=True)
    assert await alarms_told(page) == []


async def test_the_others_stay_when_one_is_removed(house: House, tmp_path: Path) -> None:
    kitchen, phone = await house.station("kitchen"), await house.station("phone")
    house.space.store.add_device(house.space.store.add_subscriber("phone"), "Phone")
    with Membership(tmp_path / "state") as beside:
        beside.remove("/private/phone")
    await asyncio.wait_for(phone.reader, WAIT_S)
    assert "result" in await kitchen.rpc("signalwire.ping")


async def test_it_must_be_clear_who_is_removed(house: House, tmp_path: Path) -> None:
    for _ in range(2):
        await pair(house, house.space.invite().code, "Phone 7")
    with Membership(tmp_path / "state") as beside:
        with pytest.raises(AddressError, match="/private/phone-7, /private/phone-7-2"):
            beside.remove("Phone 7")
        with pytest.raises(AddressError, match="space devices"):
            beside.remove("Nobody")
        beside.remove("phone-7")
        assert [device.address for device in beside.devices()] == ["/private/phone-7-2"]


async def test_a_door_is_not_removed_unasked(house: House, tmp_path: Path) -> None:
    house.space.enrol("door", "Front door")
    with Membership(tmp_path / "state") as beside:
        with pytest.raises(DoorError, match="--force"):
            beside.remove("Front door")
        assert [device.name for device in beside.devices()] == ["Front door"]


async def test_a_removed_door_whose_credential_the_space_keeps_gets_a_new_one(house: House, tmp_path: Path) -> None:
    file = tmp_path / "door.json"
    house.space.write_credential("door", file, display_name="Front door")
    before = read_credential(file)
    assert before is not None
    with Membership(tmp_path / "state") as beside:
        beside.remove("Front door", even_a_door=True)
    async with asyncio.timeout(WAIT_S):
        while (after := read_credential(file)) == before:
            await asyncio.sleep(0.05)
    assert after is not None
    assert house.space.store.owner_of(after.device_secret).display_name == "Front door"
    with pytest.raises(TokenError):
        house.space.store.owner_of(before.device_secret)


# -- what a member is called -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Anna\r\nroot logged in", "Anna root logged in"),
        ("Anna\0's phone", "Anna's phone"),
        ("\u202erood tnorF", "rood tnorF"),
        ("\u2066\u200b\ufeff", "phone"),
        ("Cafe\u0301  \u00a0 bar", "Caf\u00e9 bar"),
        ("x" * 65, "x" * 64),
        ("", "phone"),
    ],
)
def test_a_name_is_one_line_of_what_can_be_read(store: Store, said: str, shown: str) -> None:
    assert store.add_subscriber("phone", said).display_name == shown


@given(st.text())
def test_whatever_somebody_calls_themselves_is_shown_as_printable_text_of_bounded_length(said: str) -> None:
    shown = shown_name(said, "phone")
    assert 0 < len(shown) <= LIMIT_CHARS
    assert shown.isprintable()
    assert shown_name(shown, "phone") == shown


@pytest.mark.parametrize("name", ["door", "Door", "doorbell", "Door 2"])
async def test_nobody_pairs_under_a_doors_address(house: House, name: str) -> None:
    _, paired = await pair(house, house.space.invite().code, name)
    assert paired["address"].startswith("/private/station-door")
