"""Messages to a door by ONVIF, with the proofs of a password that clients send."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime

import aiohttp

from intercom.integrations.onvif.proof import digest
from intercom.integrations.onvif.soap import envelope
from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.digest import answer, fields
from tests.integrations.onvif.found_door import FoundDoor

OPEN = (
    "<tds:SetRelayOutputState><tds:RelayOutputToken>Door</tds:RelayOutputToken>"
    "<tds:LogicalState>active</tds:LogicalState></tds:SetRelayOutputState>"
)
DEVICE = "/onvif/device"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"


def proved(body: str, account: Account, at: datetime | None = None) -> bytes:
    """A message with a proof of the account's password (WS-UsernameToken)."""
    nonce, created = secrets.token_bytes(16), (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = (
        f"<w:Username>{account.name}</w:Username><w:Password>{digest(nonce, created, account.password)}</w:Password>"
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created>"
    )
    security = f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}"><w:UsernameToken>{token}</w:UsernameToken></w:Security>'
    return envelope(body).replace(b"<s:Body>", f"<s:Header>{security}</s:Header><s:Body>".encode())


def answered(challenge: str, account: Account, body: bytes, *, qop: str = "auth-int", uri: str = DEVICE) -> str:
    """The Authorization header that answers a challenge for a message."""
    nonce = fields(challenge)["nonce"]
    said = {"uri": uri, "qop": qop, "nc": "00000001", "cnonce": "x"}
    proof = answer(account, "POST", said, nonce, body)
    return (
        f'Digest username="{account.name}", realm="intercom", nonce="{nonce}", uri="{uri}", qop={qop}, nc=00000001, '
        f'cnonce="x", response="{proof}"'
    )


async def ask(door: FoundDoor, message: bytes, path: str = "device", **headers: str) -> tuple[int, str]:
    """Send a message; return the status and the answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{door.url}/{path}", data=message, headers=headers) as response,
    ):
        return response.status, await response.text()


async def challenge_of(door: FoundDoor, message: bytes = b"") -> str:
    """The door's challenge to whoever wants to open it."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{door.url}/device", data=message or envelope(OPEN)) as response,
    ):
        assert response.status == 401
        return response.headers["WWW-Authenticate"]
