"""What other machines ask of the web servers: the space's APIs and viewers, the door's API, and ONVIF."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from xml.etree.ElementTree import fromstring

from aiohttp import hdrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from intercom.config import ApiConfig, Config, DoorConfig, HistoryConfig, OnvifConfig, RtspConfig, SpaceConfig
from intercom.door.command_table import COMMANDS
from intercom.door.health.faults import Part
from intercom.integrations.access import Access
from intercom.integrations.api.api import Api
from intercom.integrations.onvif.server import OnvifServer
from intercom.integrations.onvif.soap import envelope
from intercom.integrations.rtsp.accounts import Accounts
from intercom.integrations.tokens import FILE, Tokens
from intercom.space import Space
from intercom.space.viewers.watching import Watching
from tests.fuzz.asking import WEBSOCKET, Asked, Served, reader, seed
from tests.integrations.onvif.found_door import AccessToFacts
from tests.integrations.onvif.messages import OPEN, answered, proved
from tests.integrations.stage import Stage
from tests.media.sdp_bodies import CHROMIUM_ANSWER, CHROMIUM_OFFER
from tests.space.switchboard import Switchboard

Ask = Callable[[bytes], int]
"""Asks with an input; returns the status of the answer."""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

# -- the space -----------------------------------------------------------------------------------------------

_POINT = (
    ec.derive_private_key(7, ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
_PHONE = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
    "keys": {"p256dh": base64.urlsafe_b64encode(_POINT).decode().rstrip("="), "auth": "A" * 22},
}
_FORMER = {"endpoint": _PHONE["endpoint"], "auth": "A" * 22}
_SPACE = "/api/space"
_PIECE = f"began_at={NOW.timestamp():.0f}&seconds=3&bytes=400&at=0"
PUSH = (
    seed("POST", f"{_SPACE}/push/subscription", _PHONE),
    seed("POST", f"{_SPACE}/push/changed", {"former": _FORMER, "subscription": _PHONE}),
    seed("POST", f"{_SPACE}/push/shown", {"receipt": "r" * 22}),
    seed("GET", f"{_SPACE}/push"),
    seed("GET", f"{_SPACE}/push/devices"),
    seed("DELETE", f"{_SPACE}/push/subscription"),
)
"""Nothing here sends a push: an endpoint that chance made is a host of somebody."""
SPACE = (
    seed("POST", f"{_SPACE}/device", {"name": "Kitchen"}),
    seed("POST", f"{_SPACE}/device/ring", {"page": "closed", "in_s": 5.0}),
    seed("POST", f"{_SPACE}/device/rang", {"page": "open"}),
    seed("POST", f"{_SPACE}/messages/abc-1?{_PIECE}", "m" * 400, "video/mp4"),
    seed("POST", f"{_SPACE}/messages/abc-2?{_PIECE}", "m" * 100, "video/mp4"),
    seed("GET", f"{_SPACE}/messages"),
    seed("GET", f"{_SPACE}/messages/door/abc-1"),
    seed("DELETE", f"{_SPACE}/messages/door/abc-1"),
    seed("GET", f"{_SPACE}/visitors?before=5&limit=10&seen=1"),
    seed("GET", f"{_SPACE}/visitors/1/picture"),
    seed("DELETE", f"{_SPACE}/visitors?until=3"),
    seed("POST", f"{_SPACE}/pair", {"code": "ABCD2345", "name": "Kitchen"}),
    seed("POST", f"{_SPACE}/pairing"),
    seed("POST", f"{_SPACE}/token", {"fingerprint": "x"}),
    seed("GET", "/api/fabric/addresses?name=door&page_size=5"),
    seed("POST", "/api/fabric/subscriber/devices/token", {"dpop_token": "a.b.c", "expire_in": 60}),
    seed("POST", "/api/fabric/subscribers/tokens", {"reference": "anna", "scope": ["sat:refresh"], "expire_at": 2**31}),
    seed("POST", "/api/fabric/subscribers/tokens/refresh", {"refresh_token": "a.b.c"}),
)
_CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.7 54321 typ host"
_SAYS = [{"type": "webrtc/offer", "value": CHROMIUM_OFFER}, {"type": "webrtc/candidate", "value": _CANDIDATE}]
VIEWERS = (
    seed("POST", "/whep/door", CHROMIUM_OFFER, "application/sdp"),
    seed("PATCH", "/whep/door/VIEW", f"a=mid:0\r\na={_CANDIDATE}\r\n", "application/trickle-ice-sdpfrag"),
    seed("DELETE", "/whep/door/VIEW"),
    seed(WEBSOCKET, "/api/ws?src=door", _SAYS),
)
"""`VIEW` stands for a view that goes on."""


class _House:
    """A space, one device of each kind, and a door that answers whoever wants to look."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._board: Switchboard | None = None
        config = SpaceConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",))
        self.space = space = Space(
            config,
            Path(self._folder.name),
            history=HistoryConfig(messages=True),
            wall=NOW.timestamp,
            own_addresses=lambda: (),
        )
        anna = space.store.add_subscriber("anna", "Anna", groups=(config.group,))
        door = space.store.add_subscriber("door", "Front door", kind="door")
        self._resident, self._door = (space.store.add_device(who, "Device") for who in (anna, door))
        self._project = base64.b64encode(f"{space.tokens.project_id}:{space.api_token}".encode()).decode()
        self._sat = space.tokens.issue(anna)[0]
        self._viewer = space.store.viewers.add("frigate", talks=True)
        self._board = board = Switchboard(exchange=space.exchange)
        board.join("door", token=space.tokens.issue(door)[0])
        views = space.exchange.control.views
        space.watching = Watching(space.store.viewers, views, deliver=self._answers, now=lambda: board.now)

    def headers(self, request: Asked) -> dict[str, str]:
        secret = self._resident
        if request.path.startswith("/api/fabric/subscribers/"):
            return {"Authorization": f"Basic {self._project}"}
        if request.path.startswith("/api/fabric/"):
            secret = self._sat
        elif request.path.startswith(("/whep/", "/api/ws")):
            secret = self._viewer
        elif request.path.startswith(f"{_SPACE}/messages/") and request.method == "POST":
            secret = self._door
        return {"Authorization": f"Bearer {secret}"}

    def _answers(self) -> None:
        """Deliver what there is for the door, which answers each viewer; the next may ask at once."""
        board = self._board
        assert board is not None
        board.now += 10.0
        board.settle()
        told, board.told["door"] = board.told["door"], []
        for kind, params in told:
            if kind == "intercom.view":
                board.rpc("door", "intercom.view.answer", {"view": params["view"], "sdp": CHROMIUM_ANSWER})

    def view(self) -> str:
        """Begin a view; return its id."""
        watch = self.space.watching.begin(self._viewer, "door", CHROMIUM_OFFER)
        assert watch is not None and watch.is_answered
        return watch.view


def _space(seeds: tuple[bytes, ...]) -> Ask:
    house = _House()
    read = reader(house.space._application(), seeds, house.headers)

    def asks(data: bytes) -> int:
        return read(data.replace(b"VIEW", house.view().encode()) if b"VIEW" in data else data)

    return asks


def push() -> Ask:
    """The bodies with which browsers subscribe, and their workers change and acknowledge."""
    return _space(PUSH)


def space() -> Ask:
    """The space's other APIs: devices, messages, visitors, pairing, tokens."""
    return _space(SPACE)


def viewers() -> Ask:
    """WHEP and go2rtc's WebSocket, with a door that answers."""
    return _space(VIEWERS)


# -- the door ------------------------------------------------------------------------------------------------

_V1 = "/api/v1"
API = (
    *(seed("POST", f"{_V1}/{path}", {}) for path in ("answer", "hangup", "door/open", "restart")),
    seed("POST", f"{_V1}/call", {"address": "/private/anna"}),
    seed("POST", f"{_V1}/dtmf", {"digits": "12#"}),
    seed("POST", f"{_V1}/say", {"words": "One moment, please."}),
    seed("POST", f"{_V1}/mute", {"what": "speaker", "on": False}),
    seed("POST", f"{_V1}/volume", {"what": "speaker", "gain_db": -6.0}),
    seed("POST", f"{_V1}/quiet", {"quiet": True, "for_s": 60.0, "until": "07:00"}),
    seed("POST", f"{_V1}/messages/delete", {"id": "abc-1"}),
    seed("GET", f"{_V1}/status"),
    seed("GET", f"{_V1}/snapshot.jpg?last=true"),
    seed("GET", f"{_V1}/calls?count=20"),
    seed("GET", f"{_V1}/notify/tested?name=phone"),
    seed("GET", f"{_V1}/openapi.json"),
)


def api() -> Ask:
    """The door's API: every command reads its parameters, and answers."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    stage = Stage(Part.API)
    stage.answers |= {name: {"jpeg": ""} for name in COMMANDS}
    token = Tokens(Path(folder.name, FILE)).add("shed", "opener")
    served = Api(ApiConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",)), Path(folder.name), stage.access)
    read = reader(served._application(), API, lambda _: {"Authorization": f"Bearer {token}"})

    def asks(data: bytes, _kept: object = folder) -> int:
        stage.asked.clear()
        return read(data)

    return asks


_PROVED = b"<w:Proved/>"
ONVIF = tuple(
    envelope(body).replace(b"<s:Body>", _PROVED + b"<s:Body>").replace(b"><", b">\n<")
    for body in (
        "<tds:GetSystemDateAndTime/>", "<tds:GetServices/>", "<tds:GetScopes/>", "<trt:GetProfiles/>", OPEN,
        "<trt:GetStreamUri><trt:ProfileToken>Main</trt:ProfileToken></trt:GetStreamUri>",
        "<tev:CreatePullPointSubscription><tev:InitialTerminationTime>PT1H30M</tev:InitialTerminationTime>"
        "</tev:CreatePullPointSubscription>",
        "<tev:PullMessages><tev:Timeout>PT5S</tev:Timeout><tev:MessageLimit>10</tev:MessageLimit></tev:PullMessages>",
        "<tev:SetSynchronizationPoint/>", "<wsnt:Unsubscribe/>",
        "<wsnt:Renew><wsnt:TerminationTime>PT60.5S</wsnt:TerminationTime></wsnt:Renew>",
        "<tds:GetScopes>" + "<a>" * 4000 + "</a>" * 4000 + "</tds:GetScopes>",
    )
)  # fmt: skip
"""Messages whose head is replaced by a proof of the password; the last is nested as deeply as a message can be."""


def onvif() -> Ask:
    """ONVIF's services and subscriptions, for a recorder that may open."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    account = Accounts(Path(folder.name)).add("nvr", talk=False, opens=True)
    config = Config(
        door=DoorConfig(contact_gpio=17),
        rtsp=RtspConfig(listen="127.0.0.1:8554", sound=True),
        onvif=OnvifConfig(listen="127.0.0.1:0"),
    )
    server = OnvifServer(config, Path(folder.name), cast(Access, AccessToFacts()), now=lambda: NOW)
    served = Served(server._application())
    head = proved("", account, NOW)
    head = head[head.index(b"<s:Header>") : head.index(b"<s:Body>")]

    def asks(data: bytes, _kept: object = folder) -> int:
        server._proofs._seen.clear()  # the same proof counts for each input
        key = server._inputs.subscribe(account, 60.0)[0]  # what waits for it, a pull need not wait for
        message, status = data.replace(_PROVED, head), 0
        for path in ("/onvif/device", f"/onvif/pull/{key}"):
            challenge = server._challenges.challenge("auth-int")
            headers = {hdrs.AUTHORIZATION: answered(challenge, account, message, uri=path)}
            asked = Asked("POST", path, "application/soap+xml", message)
            server._proofs._seen.clear()
            said, body = served.ask(asked, headers)
            fromstring(body)
            status = min(status or said, said)
        return status

    return asks
