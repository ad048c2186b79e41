"""The checks of an answer begin before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aioice import stun
from aioice.ice import StunProtocol

from intercom.media.errors import CallEndedError, SessionDescriptionError
from intercom.media.rtp import connection
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import wait_for_state
from tests.media.events import Reported


@pytest_asyncio.fixture
async def door(engine: AudioEngine, events: Reported[object]) -> AsyncIterator[DoorCall]:
    call = DoorMedia(engine, on_event=events).open("door", [], video=False)
    yield call
    await call.close()


@pytest_asyncio.fixture
async def house(far_engine: AudioEngine, events: Reported[object]) -> AsyncIterator[DoorCall]:
    call = DoorMedia(far_engine, on_event=events).open("house", [], video=False)
    yield call
    await call.close()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The far ends' addresses of the door's checks so far, as they leave while the answer is not read."""
    checked: list[str] = []
    send = StunProtocol.send_stun

    def noted(self: StunProtocol, message: stun.Message, addr: tuple[str, int]) -> None:
        if message.message_class is stun.Class.REQUEST and self.receiver.ice_controlling:
            checked.append(addr[0])
        send(self, message, addr)

    monkeypatch.setattr(StunProtocol, "send_stun", noted)
    return checked


def _when_read(monkeypatch: pytest.MonkeyPatch, look: Callable[[], object]) -> None:
    read = connection.accept_answer

    def looking(*arguments: Any) -> Any:
        look()
        return read(*arguments)

    monkeypatch.setattr(connection, "accept_answer", looking)


async def test_the_first_check_has_left_when_the_answer_is_read_and_the_call_connects(
    door: DoorCall, house: DoorCall, checked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[int] = []
    _when_read(monkeypatch, lambda: before.append(len(checked)))
    await door.accept_answer(await house.create_answer(await door.create_offer()))
    assert before == [1]
    await asyncio.gather(wait_for_state(door, "connected"), wait_for_state(house, "connected"))


@pytest.mark.parametrize(
    ("usual", "unusual"),
    [
        ("s=-", "s=-\r\na=ice-lite"),
        (" typ host", " typ nothing at all"),
        (" udp ", " tcp "),
        ("a=ice-pwd:", "a=ice-password:"),
    ],
)
async def test_an_unusual_answer_is_read_before_anybody_is_asked(
    door: DoorCall, house: DoorCall, checked: list[str], monkeypatch: pytest.MonkeyPatch, usual: str, unusual: str
) -> None:
    before: list[int] = []
    _when_read(monkeypatch, lambda: before.append(len(checked)))
    answer = await house.create_answer(await door.create_offer())
    assert usual in answer
    try:
        await door.accept_answer(answer.replace(usual, unusual))
    except SessionDescriptionError:
        assert usual == "a=ice-pwd:"
    assert before == [0]


async def test_an_answer_that_is_refused_ends_its_checks_with_the_call_and_without_a_complaint(
    door: DoorCall, house: DoorCall, checked: list[str]
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    answer = await house.create_answer(await door.create_offer())
    with pytest.raises(SessionDescriptionError):
        await door.accept_answer(answer.replace("a=fingerprint:", "a=no-fingerprint:"))
    assert checked
    await door.close()
    await house.close()
    assert complaints == []


async def test_the_cards_have_started_when_the_answer_is_read_and_go_on_with_the_same_frame(
    door: DoorCall, house: DoorCall, engine: AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: list[object] = []
    _when_read(monkeypatch, lambda: carried.append(engine._call))
    await door.accept_answer(await house.create_answer(await door.create_offer()))
    assert carried == [(door._far_end, door._connection.track)]
    assert engine._call is carried[0]


async def test_a_call_that_is_closed_when_its_checks_have_begun_has_ended(
    door: DoorCall, house: DoorCall, engine: AudioEngine
) -> None:
    answer = await house.create_answer(await door.create_offer())
    accepting = asyncio.create_task(door.accept_answer(answer))
    await asyncio.sleep(0)
    await door.close()
    with pytest.raises(CallEndedError):
        await accepting
    assert engine._call is None
