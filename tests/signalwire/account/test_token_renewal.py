"""A token is renewed in time, by any clock, and whatever its provider does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import pytest

from intercom.signalwire import MemoryStorage, SignalWire
from intercom.signalwire.account.access_token import Credential
from intercom.signalwire.account.account import Account
from intercom.signalwire.account.device_token import OBTAIN_PATH, REFRESH_PATH
from tests.signalwire.account.test_account import Failing, bound, read_proof
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service, Tokens


async def test_a_bound_token_is_renewed_with_a_proof_that_names_it(service: Service, media: ScriptedMedia) -> None:
    bound(service, expires_in=30.5)
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.connect()
        shown = await service.asked("signalwire.reauthenticate", 2)
        assert shown.params["authentication"]["jwt_token"] == "renewed"
        refresh = next(call for call in service.http_calls if call[1] == REFRESH_PATH)
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"bound").digest()).decode().rstrip("=")
        assert read_proof(refresh[3]["dpop_token"])[1]["ath"] == digest
        assert refresh[2] == "bound"


async def test_a_credential_is_renewed_before_it_runs_out(service: Service, media: ScriptedMedia) -> None:
    clock = [1000.0]
    tokens = Tokens("first", "second")
    tokens.expires_at = 1006.0
    async with SignalWire(tokens, media=media, options=service.options()) as client:
        client._client.account._renewal._wall_clock = lambda: clock[0]
        await client.connect()
        clock[0] = 1002.0
        shown = await service.asked("signalwire.reauthenticate")
        assert shown.params["authentication"]["jwt_token"] == "second"


@pytest.mark.parametrize("years", [-50, 0, 50])
async def test_a_clock_that_is_years_wrong_renews_without_haste(service: Service, years: int) -> None:
    wall = 1_700_000_000.0 + years * 31_536_000
    renewal = Account(Tokens(), service.options(), MemoryStorage(), wall_clock=lambda: wall)._renewal
    renewal.credential = Credential("t", 1_700_003_600.0)
    assert 1.0 <= renewal.pause_s() <= 30.0


async def test_a_token_file_that_changes_is_shown_to_the_service(
    service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Replaced(Tokens):
        def changed(self) -> bool:
            return self.asked == 1

    monkeypatch.setattr("intercom.signalwire.account.token_renewal.LOOK_AGAIN_S", 0.01)
    async with SignalWire(Replaced("old", "new"), media=media, options=service.options()) as client:
        await client.connect()
        shown = await service.asked("signalwire.reauthenticate")
        assert shown.params["authentication"]["jwt_token"] == "new"


async def test_a_provider_that_breaks_does_not_end_the_renewal(
    service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.account.token_renewal.REFRESH_FIRST_DELAY_S", 0.01)
    tokens = Failing("first", "second")
    tokens.expires_at = 1006.0
    clock = [1000.0]
    async with SignalWire(tokens, media=media, options=service.options()) as client:
        client._client.account._renewal._wall_clock = lambda: clock[0]
        await client.connect()
        clock[0] = 1002.0
        shown = await service.asked("signalwire.reauthenticate")
        assert shown.params["authentication"]["jwt_token"] == "second"


async def test_a_renewal_that_ended_starts_again_with_the_next_connection(client: SignalWire, service: Service) -> None:
    await service.until(lambda: bool(client._client.account._tasks))
    await client._client.account._tasks.stop()
    service.cut()
    await service.until(lambda: bool(client._client.account._tasks))


async def test_a_fresh_credential_that_comes_while_the_bound_one_is_renewed_stays(
    service: Service, media: ScriptedMedia
) -> None:
    bound(service, expires_in=30.5)
    async with SignalWire(Tokens("first", "fresh"), media=media, options=service.options()) as client:
        account = client._client.account
        meanwhile: list[asyncio.Task[str]] = []

        def renew(_: Any) -> dict[str, Any]:
            meanwhile.append(asyncio.ensure_future(account.token(fresh=True)))
            service.pages[OBTAIN_PATH] = None
            return {"token": "renewed", "expires_in": 900}

        service.pages[REFRESH_PATH] = renew
        await client.connect()
        await service.until(lambda: bool(meanwhile))
        assert await meanwhile[0] == "fresh"
        await service.asked("signalwire.reauthenticate", 2)
        await service.until(lambda: service.http_calls[-1][1:3] == (OBTAIN_PATH, "fresh"))
        assert account._tasks


async def test_a_clock_that_is_years_ahead_leaves_the_owners_server_alone(
    service: Service, media: ScriptedMedia
) -> None:
    tokens = Tokens()
    async with SignalWire(tokens, media=media, options=service.options()) as client:
        await client.connect()
        await service.until(lambda: client.user is not None)
        renewal = client._client.account._renewal
        renewal._wall_clock = lambda: 3e9
        tokens.expires_at = 2e9
        renewal.credential = Credential("token", 2e9)
        await renewal.renew_if_due()
        assert tokens.asked == 2
        assert renewal.pause_s() > 15.0
        await renewal.renew_if_due()
        assert tokens.asked == 2
