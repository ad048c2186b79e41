"""Who we are: the user, the directory, tokens that are renewed, and tokens that only this device can use."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from intercom.signalwire import FileStorage, MemoryStorage, SignalWire, StorageError
from intercom.signalwire.account.access_token import Credential
from intercom.signalwire.account.device_token import OBTAIN_PATH, REFRESH_PATH
from intercom.signalwire.account.directory import ADDRESSES_PATH
from intercom.signalwire.account.dpop import KEY_NAME, load_key, make_key
from intercom.signalwire.errors import HttpError
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service, Tokens


def bound(service: Service, **answer: Any) -> None:
    """The service lets tokens be bound."""
    service.pages["/api/fabric/subscriber/info"] = {"id": "u", "sat_claims": {"scope": ["sat:refresh"]}}
    service.pages[OBTAIN_PATH] = {"token": "bound", "expires_in": 900, **answer}
    service.pages[REFRESH_PATH] = {"token": "renewed", "expires_in": 900}


def read_proof(proof: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A proof's header and payload, its signature checked with its own key."""
    header = jwt.get_unverified_header(proof)
    key = jwt.PyJWK(header["jwk"], "RS256").key
    return header, jwt.decode(proof, key, ["RS256"], options={"verify_iat": False})


async def test_the_user_is_known_after_connecting(client: SignalWire, service: Service) -> None:
    await service.until(lambda: client.user is not None)
    assert client.user is not None
    assert client.user.display_name == "Door"


async def test_registering_does_not_wait_for_http(service: Service, media: ScriptedMedia) -> None:
    service.pages.clear()
    faults: list[Exception] = []
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        client.errors_stream.subscribe(faults.append)
        await client.register()
        assert client.is_registered
        await service.until(lambda: bool(faults))


async def test_a_token_with_the_scope_is_bound_to_this_device(service: Service, media: ScriptedMedia) -> None:
    bound(service)
    storage = MemoryStorage()
    async with SignalWire(Tokens(), media=media, storage=storage, options=service.options()) as client:
        await client.register()
        shown = await service.asked("signalwire.reauthenticate")
        assert shown.params["authentication"] == {"jwt_token": "bound", "project": "project"}
        header, payload = read_proof(shown.params["dpop_token"])
        assert header["typ"] == "dpop+jwt"
        assert (payload["rpc"], payload["mth"]) == ("request", "signalwire.reauthenticate")
        obtained = next(call for call in service.http_calls if call[1] == OBTAIN_PATH)
        _, http_proof = read_proof(obtained[3]["dpop_token"])
        assert (http_proof["htm"], http_proof["htu"], obtained[2]) == ("POST", OBTAIN_PATH, "token")
        await service.until(lambda: client._client.account.client_bound)
        service.cut()
        connect = await service.asked("signalwire.connect", 2)
        assert connect.params["authentication"] == {"jwt_token": "bound"}
        assert read_proof(connect.params["dpop_token"])[1]["mth"] == "signalwire.connect"
        await service.asked("subscriber.online", 2)
        methods = [request.method for request in service.requests[service.requests.index(connect) :]]
        assert methods == ["signalwire.connect", "signalwire.reauthenticate", "subscriber.online"]
    assert await storage.get(KEY_NAME) is not None


async def test_a_device_keeps_its_key_and_its_fingerprint() -> None:
    storage = MemoryStorage()
    key = await make_key(storage, lambda: 0.0)
    again = await load_key(storage, lambda: 0.0)
    assert again is not None
    assert again.fingerprint == key.fingerprint
    header, _ = read_proof(key.rpc_proof("x"))
    canonical = json.dumps({name: header["jwk"][name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    assert key.fingerprint == thumbprint
    await storage.set(KEY_NAME, "rubbish")
    assert await load_key(storage, lambda: 0.0) is None


@pytest.mark.parametrize("number", ["p", "q", "d", "dmp1", "dmq1", "iqmp", "n", "e"])
async def test_a_key_of_which_one_number_is_damaged_is_not_used(number: str) -> None:
    storage = MemoryStorage()
    await make_key(storage, lambda: 0.0)
    pem = await storage.get(KEY_NAME)
    assert pem is not None
    first, *lines, last = pem.splitlines()
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    numbers = key.private_numbers()
    whole = getattr(numbers.public_numbers if number in {"n", "e"} else numbers, number)
    stored, damaged = (b"\x02" + _length(value) + value for value in (_bytes(whole), _bytes(whole ^ 2)))
    file = base64.b64decode("".join(lines))
    assert file.count(stored) == 1
    lines = [base64.b64encode(file.replace(stored, damaged)).decode()]
    await storage.set(KEY_NAME, "\n".join((first, *lines, last)))
    assert await load_key(storage, lambda: 0.0) is None


@pytest.mark.parametrize("algorithm", ["2a864886f70d01017f", "2b864886f70d010101", "2a8648ce3d02010101"])
async def test_a_key_whose_algorithm_is_damaged_is_not_used(algorithm: str) -> None:
    storage = MemoryStorage()
    await make_key(storage, lambda: 0.0)
    first, *lines, last = str(await storage.get(KEY_NAME)).splitlines()
    file, rsa = base64.b64decode("".join(lines)), bytes.fromhex("2a864886f70d010101")
    assert file.count(rsa) == 1
    lines = [base64.b64encode(file.replace(rsa, bytes.fromhex(algorithm))).decode()]
    await storage.set(KEY_NAME, "\n".join((first, *lines, last)))
    assert await load_key(storage, lambda: 0.0) is None


def _bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _length(value: bytes) -> bytes:
    """The length of a DER element."""
    count = len(value)
    size = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return size if count < 0x80 else bytes([0x80 | len(size)]) + size


async def test_the_directory_comes_in_pages_and_keeps_its_objects(client: SignalWire, service: Service) -> None:
    def page(display_name: str, following: str | None) -> dict[str, Any]:
        address = {"id": "1", "name": "house", "display_name": display_name, "channels": {"audio": "/private/house?a"}}
        return {"data": [address], "links": {"next": following}}

    service.pages[ADDRESSES_PATH] = page("House", "https://elsewhere.example/api/fabric/addresses?page=2")
    service.pages["/api/fabric/addresses?page=2"] = page("Home", None)
    directory = client.directory
    assert directory is not None
    await directory.load_more()
    house = directory.get("1")
    assert house is not None
    names: list[str] = []
    house.display_name_stream.subscribe(names.append)
    await directory.load_all()
    assert names == ["House", "Home"]
    assert directory.addresses == (house,)
    assert not directory.has_more
    assert (await directory.find("/private/house?channel=audio")) is house
    call = await client.dial(house)
    assert call.to == "/private/house?a"


@pytest.mark.parametrize("page", [[], {"data": [{"name": "no id"}]}, "rubbish"])
async def test_a_directory_that_makes_no_sense_is_a_failed_http_call(
    client: SignalWire, service: Service, page: Any
) -> None:
    service.pages[ADDRESSES_PATH] = service.pages["/api/fabric/addresses?name=house"] = page
    directory = client.directory
    assert directory is not None
    with pytest.raises(HttpError, match="no addresses"):
        await directory.load_more()
    with pytest.raises(HttpError, match="no addresses"):
        await directory.find("house")
    assert directory.has_more


async def test_a_reset_that_cannot_forget_says_so_after_the_rest(service: Service, media: ScriptedMedia) -> None:
    class Stuck(MemoryStorage):
        async def remove(self, key: str) -> None:
            if key == "sw:stuck":
                raise StorageError("read-only")
            await super().remove(key)

    storage = Stuck()
    for key in ("sw:stuck", "sw:other", "another's"):
        await storage.set(key, "x")
    async with SignalWire(Tokens(), media=media, storage=storage, options=service.options()) as client:
        with pytest.raises(StorageError, match="read-only"):
            await client.reset_to_defaults()
        assert sorted(await storage.keys()) == ["another's", "sw:stuck"]


async def test_what_is_kept_is_private_whole_and_survives_damage(tmp_path: Path) -> None:
    path = tmp_path / "state" / "client.json"
    storage = FileStorage(path)
    await asyncio.gather(*(storage.set(f"sw:{number}", "x" * number) for number in range(20)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(await FileStorage(path).keys()) == sorted(f"sw:{number}" for number in range(20))
    written = path.stat().st_mtime_ns
    await storage.set("sw:3", "xxx")
    assert path.stat().st_mtime_ns == written, "an equal value costs no write"
    path.write_text("{damaged")
    with pytest.raises(StorageError, match="damaged"):
        await storage.get("sw:1")
    await storage.set("sw:1", "new")
    assert await storage.get("sw:1") == "new"
    assert [entry.name for entry in path.parent.iterdir()] == ["client.json"]


class Failing(Tokens):
    """A provider of the owner's whose own code breaks, as often as told."""

    def __init__(self, *tokens: str, failures: int = 1, after: int = 1) -> None:
        super().__init__(*tokens)
        self.failures = failures
        self.after = after

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        if self.asked >= self.after and self.failures:
            self.failures -= 1
            raise KeyError("jwt")
        return await super().authenticate(fingerprint)


async def test_a_provider_that_breaks_while_registering_does_not_leave_us_unregistered(
    service: Service, media: ScriptedMedia
) -> None:
    tokens = Failing()
    async with SignalWire(tokens, media=media, options=service.options()) as client:
        await client.register()
        service.refusals["subscriber.online"] = [-32000]
        service.cut()
        await service.asked("signalwire.connect", 2)
        await service.until(lambda: client.is_registered and not tokens.failures)


async def test_a_provider_that_breaks_at_first_is_asked_again(service: Service, media: ScriptedMedia) -> None:
    async with SignalWire(Failing(after=0), media=media, options=service.options()) as client:
        await client.register()
        assert client.is_registered


async def test_a_binding_that_failed_is_tried_again(
    service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.account.token_renewal.LOOK_AGAIN_S", 0.01)
    bound(service)
    answer = service.pages.pop(OBTAIN_PATH)
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.register()
        await service.until(lambda: any(call[1] == OBTAIN_PATH for call in service.http_calls))
        service.pages[OBTAIN_PATH] = answer
        await service.until(lambda: client._client.account.client_bound)


async def test_new_ice_servers_that_come_with_a_new_token_are_used(client: SignalWire, service: Service) -> None:
    fresh = [{"urls": ["turn:relay"], "username": "later", "credential": "x"}]
    service.answers["signalwire.reauthenticate"] = lambda _: {"ice_servers": fresh}
    await client._client.account.reauthenticate()
    assert list(client.session.ice_servers) == fresh
    service.answers["signalwire.reauthenticate"] = lambda _: {"ice_servers": "odd"}
    await client._client.account.reauthenticate()
    assert list(client.session.ice_servers) == fresh
