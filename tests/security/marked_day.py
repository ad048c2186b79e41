"""A day in the marked house: everybody uses their secrets, and puts them where they do not belong."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from functools import partial
from typing import Any

import aiohttp

from intercom.integrations.onvif.soap import envelope
from intercom.integrations.rtsp.accounts import Accounts
from tests.integrations.onvif.messages import WSSE
from tests.integrations.rtsp.client import RawClient
from tests.security.marked_house import OPEN_DIGITS, PUSH_SECRET, MarkedHouse
from tests.space.conftest import OFFER, Client
from tests.space.push.browser_keys import BrowserKeys


async def _a_program(house: MarkedHouse, http: aiohttp.ClientSession) -> None:
    """A program gets a token of the API, uses it, and puts it where it does not belong."""
    place = ("api", "token", "add", "shed", "--role", "opener", "--state-dir", str(house.folder / "door"))
    said = await asyncio.to_thread(partial(house.command, *place, config=True))
    token = house.secrets["API token"] = said.splitlines()[0]
    api = f"{house.url('api')}/api/v1"
    for path, header in (("/status", f"Bearer {token}"), ("/log", f"Bearer {token}"), (f"/status?{token}", token)):
        async with http.get(api + path, headers={"Authorization": header}) as answer:
            house.heard.append(await answer.text())
    house.heard.append(await asyncio.to_thread(house.command, "webhook", "test"))


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def _a_viewer(house: MarkedHouse, http: aiohttp.ClientSession) -> None:
    """A dashboard gets a token, watches with it, and puts it where proxies would log it."""
    place = ("space", "viewer", "add", "frigate", "--talk", "--state-dir", str(house.folder / "space"))
    said = await asyncio.to_thread(house.command, *place)
    token = house.secrets["viewer's token"] = said.splitlines()[1].strip()
    space, mine = house.url("space"), {"Authorization": f"Bearer {token}"}
    sdp = {"Content-Type": "application/sdp"}
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("POST", "/whep/door", {"headers": {**sdp, **mine}, "data": OFFER}),
        ("POST", "/whep/door", {"headers": mine, "data": OFFER}),
        ("POST", f"/whep/door?token={token}", {"headers": sdp, "data": OFFER}),
        ("POST", f"/whep/{token}", {"headers": {**sdp, **mine}, "data": OFFER}),
        ("GET", f"/api/ws?token={token}", {}),
        ("GET", "/api/ws?src=door", {"headers": _basic("frigate", token)}),
        ("POST", "/api/space/token", {"headers": mine}),
    )
    for method, path, more in asked:
        async with http.request(method, space + path, **more) as answer:
            house.heard.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")


async def _a_recorder(house: MarkedHouse, http: aiohttp.ClientSession) -> None:
    """A recorder watches, and sends its password in clear where a proof of it belongs."""
    account = Accounts(house.folder / "door").get("nvr")
    assert account is not None
    async with RawClient(house.ports["rtsp"], account) as recorder:
        house.heard.append(str(await recorder.watch("door", "audio")))
        await recorder.packet()
        house.heard.append(str(await recorder.ask("DESCRIBE", account.password)))
        house.heard.append(str(await recorder.ask("DESCRIBE", X=account.password)))
    basic = _basic(account.name, account.password)
    clear = f"rtsp://{account.name}:{account.password}@127.0.0.1/door"
    for line in (
        f"DESCRIBE {clear} RTSP/1.0\r\nCSeq: 1\r\nAuthorization: {basic['Authorization']}\r\n\r\n",
        f"{account.password} {clear} RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        f"DESCRIBE {clear} RTSP/1.0\r\n{account.password}\r\n\r\n",
    ):
        async with RawClient(house.ports["rtsp"]) as recorder:
            recorder.writer.write(line.encode())
            house.heard.append(str(await recorder.response()))
    proof = f"<w:Username>nvr</w:Username><w:Password>{account.password}</w:Password>"
    token = f'<s:Header><w:Security xmlns:w="{WSSE}"><w:UsernameToken>{proof}</w:UsernameToken></w:Security></s:Header>'
    message = envelope("<tds:GetServices/>")
    for body in (
        message.replace(b"<s:Body>", f"{token}<s:Body>".encode()),
        message.replace(b"<s:Body>", f"{token}<s:Body".encode()),
        envelope(f"<tds:{account.password}/>"),
    ):
        async with http.post(f"{house.url('onvif')}/onvif/device", data=body, headers=basic) as answer:
            house.heard.append(await answer.text())
    async with http.get(f"{house.url('onvif')}/onvif/snapshot.jpg", headers=basic) as answer:
        house.heard.append(await answer.text())


async def _pushes(house: MarkedHouse, http: aiohttp.ClientSession, mine: dict[str, str]) -> None:
    """The phone's browser gives the house the keys to wake it; the push service talks nonsense when it is asked to."""
    push = f"{house.url('space')}/api/space/push"
    given = BrowserKeys().subscription(f"{house.url('nonsense')}/{PUSH_SECRET}")
    house.secrets |= {f"push subscription's {name}": key for name, key in given["keys"].items()}
    async with http.post(f"{push}/subscription", json=given, headers=mine) as answer:
        assert answer.status == 201, await answer.text()
    wrong = {**given, "keys": {**given["keys"], "p256dh": given["keys"]["auth"]}}
    former = {"endpoint": given["endpoint"], "auth": given["keys"]["p256dh"]}
    elsewhere = {**given, "endpoint": f"http://127.0.0.1/{PUSH_SECRET}"}
    for path, sent in (
        ("/test", None),
        ("/subscription", wrong),
        ("/subscription", elsewhere),
        ("/subscription", given["endpoint"]),
        ("/changed", {"former": former, "subscription": given}),
        ("/shown", given),
    ):
        async with http.post(push + path, json=sent, headers=mine) as answer:
            house.heard.append(await answer.text())
    for path in ("/devices", "/figures"):
        async with http.get(push + path, headers=mine) as answer:
            house.heard.append(await answer.text())


async def a_day(house: MarkedHouse) -> None:
    """A phone joins, signs in, is rung and types the code; others try what they have at the wrong places."""
    api = house.url("space")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=house.trust())) as http:
        code = house.secrets["pairing code"] = _printed_code(house)
        left = house.secrets["pairing code that nobody used"] = _printed_code(house)
        async with http.post(f"{api}/api/space/pair", json={"code": code, "name": "Kitchen"}) as answer:
            secret = house.secrets["phone's secret"] = (await answer.json())["device_secret"]
        mine = {"Authorization": f"Bearer {secret}"}
        async with http.post(f"{api}/api/space/token", headers=mine) as answer:
            token = house.secrets["phone's token"] = (await answer.json())["token"]
        await _attempts(house, http, left)
        await _a_program(house, http)
        await _a_viewer(house, http)
        await _a_recorder(house, http)
        await _pushes(house, http, mine)
        phone = Client(await http.ws_connect(api.replace("http", "ws") + "/"))
        connected = (await phone.connect(token))["result"]
        house.secrets["phone's TURN password"] = connected["ice_servers"][0]["credential"]
        await phone.rpc("subscriber.online")
        calling = await asyncio.to_thread(house.command, "call")
        invite = await phone.heard("verto.invite")
        house.heard += [calling, json.dumps(invite)]
        for digit in OPEN_DIGITS:
            await phone.verto("verto.info", invite["callID"], dtmf=digit)
        await phone.verto("verto.info", invite["callID"], dtmf=OPEN_DIGITS)
        house.heard.append(await asyncio.to_thread(house.command, "hangup"))
        house.heard.append(json.dumps(await phone.heard("verto.bye")))
        house.secrets["phone's session"] = phone.state
        await phone.close()


def _printed_code(house: MarkedHouse) -> str:
    printed = house.command("space", "pair", "--state-dir", str(house.folder / "space"))
    code = re.search(r"type the code {2}(\w{5}-\w{5})$", printed, re.MULTILINE)
    assert code, printed
    return code[1]


async def _attempts(house: MarkedHouse, http: aiohttp.ClientSession, code: str) -> None:
    """Secrets where they do not belong; the answers are kept."""
    api, secrets = house.url("space"), house.secrets
    wrong_token = secrets["phone's token"][:-4] + "AAAA"
    secret = secrets["phone's secret"]
    bearer = {"Authorization": f"Bearer {wrong_token}"}
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", f"{api}/station/?pair={code}", {}),
        ("GET", f"{api}/{secret}", {}),
        ("GET", f"{api}/station/{code}", {}),
        ("GET", f"{api}/api/fabric/addresses", {"headers": bearer}),
        ("POST", f"{api}/api/space/token", {"headers": bearer}),
        ("POST", f"{api}/api/space/pairing", {"headers": {"Authorization": f"Bearer {secret[1:]}"}}),
        ("POST", f"{api}/api/space/pair", {"data": f'{{"code": "{code}", "name": '}),
        ("POST", f"{api}/api/space/pair", {"json": {"code": code, "name": 7}}),
        ("GET", f"{api}/", {}),
        ("GET", f"{api}/api/space/hello", {}),
        ("GET", f"{api}/station/", {}),
        ("GET", f"{house.url('trust')}/trust", {}),
        ("GET", f"{house.url('trust')}/ca.crt", {}),
        ("GET", f"{house.url('trust')}/ca.key", {}),
        ("GET", f"{house.url('metrics')}/metrics", {}),
        ("GET", f"{house.url('panel')}/", {}),
    )
    for method, url, more in asked:
        async with http.request(method, url, **more) as answer:
            house.heard.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")
    broken = Client(await http.ws_connect(api.replace("http", "ws") + "/"))
    house.heard.append(json.dumps(await broken.connect(wrong_token)))
    await broken.close()
