"""What becomes of the requests is counted, and who reads the events."""

from __future__ import annotations

import asyncio

import pytest

from intercom.facts import Pressed
from intercom.history.families import text
from intercom.integrations.api.figures import RESULTS, result_of
from tests.integrations.api.served import Served

LIMIT_S = 60


def lines(api: Served) -> list[str]:
    return text(api.api.figures()).splitlines()


async def test_each_request_is_counted_by_what_became_of_it(api: Served) -> None:
    await api.get("/status")
    await api.get("/nothing")
    await api.post("/door/open", "viewer")
    async with api.http.get(api.url + "/status") as without_a_token:
        assert without_a_token.status == 401
    assert (await api.post("/call", content={"address": "/private/hall"}))[0] == 409
    wanted = {"done": 1, "wrong": 1, "forbidden": 2, "refused": 1, "limited": 0, "failed": 0}
    assert set(wanted) == set(RESULTS)
    assert {f'intercom_api_requests_total{{result="{result}"}} {count}' for result, count in wanted.items()} <= set(
        lines(api)
    )


async def test_who_reads_the_events_is_counted_while_they_do(api: Served) -> None:
    stream = api.http.get(api.url + "/events", headers=api.bearer("viewer", Accept="text/event-stream"))
    async with stream as answer:
        await answer.content.readline()
        polling = asyncio.create_task(api.get("/events", wait="60"))
        async with asyncio.timeout(LIMIT_S):
            while 'intercom_api_readers{by="poll"} 1' not in lines(api):
                await asyncio.sleep(0)
            assert 'intercom_api_readers{by="stream"} 1' in lines(api)
            assert 'intercom_api_requests_total{result="done"} 1' in lines(api), "a stream counts as it begins"
            api.stage.tell(Pressed("/private/house"))
            await polling
        assert 'intercom_api_readers{by="poll"} 0' in lines(api)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, "done"),
        (400, "wrong"),
        (401, "forbidden"),
        (403, "forbidden"),
        (404, "wrong"),
        (409, "refused"),
        (413, "wrong"),
        (429, "limited"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_a_status_says_what_became_of_a_request(status: int, result: str) -> None:
    assert result_of(status) == result
