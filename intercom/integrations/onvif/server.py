"""The ONVIF device: HTTP with SOAP for recorders. Whoever asks has an account, but for the time and the services."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from intercom import __version__
from intercom.config import NO_GPIO, Config
from intercom.control.errors import RefusedError
from intercom.facts import CLOSED, Answered, DoorMoved, Ended, Pressed, Unreached
from intercom.history.families import Family, one
from intercom.history.journal import Entry
from intercom.integrations.access import Access, Program
from intercom.integrations.onvif import device, events
from intercom.integrations.onvif.device import Identity, Place
from intercom.integrations.onvif.proof import Challenges, Proofs
from intercom.integrations.onvif.pull import BELL, CONTACT, LONGEST_PULL_S, Inputs
from intercom.integrations.onvif.soap import MOST_BYTES, Operation, SoapError, envelope, fault, read
from intercom.integrations.rtsp.accounts import Account, Accounts
from intercom.integrations.rtsp.digest import COVERS_BODY
from intercom.net import split_authority, split_listen
from intercom.opening.decision import Way
from intercom.space.http.listener import Listener

logger = logging.getLogger(__name__)

BODY_LIMIT_S = 5.0
"""Time limit of a message from its head to its end: it has a few kilobytes."""
REQUEST_LIMIT_S = LONGEST_PULL_S + 15.0
"""Time limit of a request: the longest waits for an event, and an opening has 10 s to answer."""
SUBSCRIBED_S = 600.0
"""Time for which a subscription lasts when the client names none that is understood."""
TOLD_AGAIN_S = 60.0
"""Least time between two attempts to get in that are both logged as a warning."""
OPEN_TO_ALL = ("tds:GetSystemDateAndTime", "tds:GetServices", "tds:GetCapabilities", "tds:GetServiceCapabilities")
"""Operations without an account (access class PRE_AUTH): a client sets its clock, and finds where to ask."""
OPENING = "tds:SetRelayOutputState"
"""The operation that a proof in the message alone does not admit to."""
_DURATION = re.compile(r"PT(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,6})(?:\.[0-9]{1,9})?S)?")

Answer = Callable[[Operation], str]


class OnvifServer:
    """Serves at `onvif.listen`. Belongs to the event loop."""

    def __init__(
        self,
        config: Config,
        state_dir: Path,
        access: Access,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        body_limit_s: float = BODY_LIMIT_S,
    ) -> None:
        self._config = config
        self._access = access
        self._now = now
        self._accounts = Accounts(state_dir)
        self._proofs = Proofs(self._account, now=lambda: now().timestamp())
        self._challenges = Challenges(self._account)
        self._inputs = Inputs(has_contact=config.door.contact_gpio != NO_GPIO, now=now)
        self._identity = identity()
        self._body_limit_s = body_limit_s
        self._listener = Listener(self._application(), request_limit_s=REQUEST_LIMIT_S)
        self._told_s = float("-inf")
        "time of the last attempt to get in"
        self._refused = 0
        "how often somebody proved no account"
        self.port = 0
        """The port that it listens on, once it does."""

    async def start(self) -> None:
        """Listen, and follow the bell and the contact; raises OSError where it cannot."""
        self.port = await self._listener.start(*split_listen(self._config.onvif.listen), None)
        self._access.subscribe(self._hear)
        if (contact := self._access.status()["door"]["contact"]) is not None:
            self._moved(contact["state"])
        logger.info("Recorders find the door by ONVIF at %s", self._config.onvif.listen)

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    def document(self) -> Mapping[str, Any]:
        """Return what the status says."""
        return {"subscriptions": len(self._inputs)}

    def figures(self) -> list[Family]:
        """Return the figures of the recorders that ask."""
        told, refused = "Recorders that are told of the bell by ONVIF.", "Requests by ONVIF that proved no account."
        return [
            one("intercom_onvif_subscriptions", "gauge", told, len(self._inputs)),
            one("intercom_onvif_refusals_total", "counter", refused, self._refused),
        ]

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MOST_BYTES)
        application.router.add_post("/onvif/{service:device|device_service|media|events}", self._take)
        application.router.add_post("/onvif/pull/{key}", self._take)
        application.router.add_get("/onvif/snapshot.jpg", self._still)
        return application

    # What happens at the door

    def _hear(self, entry: Entry) -> None:
        match entry.fact:
            case Pressed():
                self._inputs.change(BELL, True)
            case Answered() | Ended() | Unreached():
                self._inputs.change(BELL, False)
            case DoorMoved(state):
                self._moved(state)
            case _:
                pass

    def _moved(self, state: str) -> None:
        self._inputs.change(CONTACT, state != CLOSED)

    # Who asks

    def _account(self, name: str) -> Account | None:
        self._accounts.follow()
        return self._accounts.get(name)

    def _suspect(self, address: str | None) -> None:
        """Log somebody who tries to get in, once in a while: a flood of them must not fill the log."""
        self._refused += 1
        now_s = time.monotonic()
        told, self._told_s = now_s - self._told_s < TOLD_AGAIN_S, now_s
        level = logging.DEBUG if told else logging.WARNING
        logger.log(level, "ONVIF: %s proves no account, or its clock is wrong", address)

    async def _take(self, request: web.Request) -> web.Response:
        try:
            return _said(envelope(await self._answer(request, await self._body(request))))
        except SoapError as error:
            logger.debug("ONVIF: %s gets a fault: %s", request.remote, error)
            answer = _said(fault(error), error.status)
            if error.challenge:
                answer.headers[hdrs.WWW_AUTHENTICATE] = error.challenge
            return answer

    async def _body(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(self._body_limit_s):
                return await request.read()
        except TimeoutError as error:
            raise SoapError("The message did not come to its end.", status=408) from error
        except web.HTTPRequestEntityTooLarge as error:
            raise SoapError(f"A message has up to {MOST_BYTES} bytes.", status=413) from error

    async def _answer(self, request: web.Request, body: bytes) -> str:
        asked = read(body)
        account = self._proofs.account(asked.token)
        if asked.name == OPENING:
            return await self._open_door(asked, self._opener(request, body))
        if account is None and asked.name not in OPEN_TO_ALL:
            if asked.token is not None:
                self._suspect(request.remote)
            raise SoapError("The sender is not authorized.", "ter:NotAuthorized", status=401)
        place = self._place(request)
        if asked.name in OPEN_TO_ALL or account is None:
            return self._open_to_all(asked, place)
        if (key := request.match_info.get("key")) is not None:
            return await self._pull(asked, key, account)
        if asked.name == "tev:CreatePullPointSubscription":
            key, lasts_s = self._inputs.subscribe(account, _seconds(asked.text("InitialTerminationTime")))
            return events.subscribed(place.service(f"pull/{key}"), self._now(), lasts_s)
        answer = self._answers(place).get(asked.name)
        if answer is None:
            raise SoapError(f"There is no {asked.name[:64]} here.", "ter:ActionNotSupported")
        return answer(asked)

    def _place(self, request: web.Request) -> Place:
        """Return where this client reaches the door: at the host that it asked, else at the address it came to."""
        host = "127.0.0.1"
        try:
            host = split_authority(request.host)[0]
        except ValueError:
            if request.transport is not None:
                host = str(request.transport.get_extra_info("sockname")[0])
        rtsp = split_listen(self._config.rtsp.listen)[1]
        return Place(f"[{host}]" if ":" in host else host, self.port, rtsp)

    # What is asked

    def _open_to_all(self, asked: Operation, place: Place) -> str:
        match asked.name:
            case "tds:GetSystemDateAndTime":
                return device.date_and_time(self._now())
            case "tds:GetServices":
                return device.services(place)
            case "tds:GetCapabilities":
                return device.capabilities(place)
            case _:
                return device.device_capabilities()

    def _answers(self, place: Place) -> Mapping[str, Answer]:
        camera, sound = self._config.camera, self._config.rtsp.sound
        one = device.profile("trt:Profile", camera, sound=sound)
        return {
            "tds:GetDeviceInformation": lambda _: device.information(self._identity),
            "tds:GetScopes": lambda _: device.scopes(self._identity),
            "tds:GetHostname": lambda _: device.host_name(self._identity.name),
            "tds:GetNetworkInterfaces": lambda _: device.interfaces(self._identity),
            "tds:GetRelayOutputs": lambda _: device.relays(self._config.door.pulse_s),
            "trt:GetServiceCapabilities": lambda _: device.media_capabilities(),
            "trt:GetProfiles": lambda _: device.profiles(camera, sound=sound),
            "trt:GetProfile": lambda asked: device.one_profile(asked.text("ProfileToken"), one),
            "trt:GetVideoSources": lambda _: device.video_sources(camera),
            "trt:GetVideoSourceConfigurations": lambda _: device.video_source_configurations(camera),
            "trt:GetVideoEncoderConfigurations": lambda _: device.encoder_configurations(camera, one=False),
            "trt:GetVideoEncoderConfiguration": lambda _: device.encoder_configurations(camera, one=True),
            "trt:GetStreamUri": lambda asked: device.uri("GetStreamUri", asked.text("ProfileToken"), place.stream),
            "trt:GetSnapshotUri": lambda asked: device.uri("GetSnapshotUri", asked.text("ProfileToken"), place.still),
            "trt:SetSynchronizationPoint": lambda _: "<trt:SetSynchronizationPointResponse/>",
            "tev:GetServiceCapabilities": lambda _: events.capabilities(),
            "tev:GetEventProperties": lambda _: events.properties(),
        }

    async def _pull(self, asked: Operation, key: str, account: Account) -> str:
        match asked.name:
            case "tev:PullMessages":
                most = asked.text("MessageLimit")
                limit = int(most) if re.fullmatch(r"[0-9]{1,5}", most) else 1
                changes = await self._inputs.pull(key, account, _seconds(asked.text("Timeout"), 1.0), limit)
                if self._account(account.name) != account:
                    raise SoapError("The account was removed.", "ter:NotAuthorized", status=401)
                return events.pulled(changes, self._now(), self._inputs.left_s(key, account))
            case "tev:SetSynchronizationPoint":
                self._inputs.synchronize(key, account)
                return "<tev:SetSynchronizationPointResponse/>"
            case "wsnt:Renew":
                lasts_s = self._inputs.renew(key, account, _seconds(asked.text("TerminationTime")))
                return events.renewed(self._now(), lasts_s)
            case "wsnt:Unsubscribe":
                self._inputs.unsubscribe(key, account)
                return "<wsnt:UnsubscribeResponse/>"
            case _:
                raise SoapError(f"A subscription has no {asked.name[:64]}.", "ter:ActionNotSupported")

    def _opener(self, request: web.Request, body: bytes) -> Account:
        """Return the account that answered our challenge for this very message; raises SoapError."""
        said = request.headers.get(hdrs.AUTHORIZATION, "")
        account = self._challenges.account(said, request.method, request.path_qs, body)
        if account is None:
            why = "To open the door, answer the HTTP Digest challenge with qop=auth-int."
            challenge = self._challenges.challenge(COVERS_BODY)
            raise SoapError(why, "ter:NotAuthorized", status=401, challenge=challenge)
        return account

    async def _open_door(self, asked: Operation, account: Account) -> str:
        if not account.open:
            logger.warning("ONVIF: %s may not open the door", account.name)
            raise SoapError("This account may not open the door.", "ter:NotAuthorized", status=401)
        device.must_be(asked.text("RelayOutputToken"), device.RELAY)
        if asked.text("LogicalState") == "active":
            try:
                await self._access.ask("door.open", {}, caller=Program(f"ONVIF ({account.name})", Way.ONVIF))
            except RefusedError as error:
                raise SoapError(f"The door does not open: {error}", "ter:Action", status=500) from error
        return "<tds:SetRelayOutputStateResponse/>"

    # The still

    async def _still(self, request: web.Request) -> web.Response:
        said = request.headers.get("Authorization", "")
        if self._challenges.account(said, "GET", request.path_qs) is None:
            return web.Response(status=401, headers={"WWW-Authenticate": self._challenges.challenge()})
        try:
            jpeg = await self._access.snapshot()
        except OSError as error:
            return web.Response(status=503, text=f"{error}\n")
        return web.Response(body=jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def identity() -> Identity:
    """Return what this machine says of itself: its name, and its card's address."""
    number = uuid.getnode()
    mac = ":".join(f"{number >> shift & 0xFF:02x}" for shift in range(40, -1, -8))
    name = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:63] or "door"
    return Identity(name=name, version=__version__, serial=f"{number:012x}", mac=mac)


def _seconds(written: str, default: float = SUBSCRIBED_S) -> float:
    """Return the length of a duration of XML (PT1H30M), else the default."""
    found = _DURATION.fullmatch(written)
    if found is None or not any(found.groups()):
        return default
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def _said(message: bytes, status: int = 200) -> web.Response:
    return web.Response(body=message, status=status, content_type="application/soap+xml", charset="utf-8")
