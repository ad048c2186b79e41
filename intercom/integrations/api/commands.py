"""The commands of the running door as paths of the API, made from their table."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import hdrs, web

from intercom.control.errors import RefusedError
from intercom.integrations.access import Access, Command, Program
from intercom.integrations.api.problems import of_refusal, problem
from intercom.integrations.api.who import token_of
from intercom.opening.decision import Way

PREFIX: Final = "/api/v1"
SNAPSHOT: Final = "snapshot"
"""Command whose answer is a picture."""
ELSEWHERE: Final = ("messages.get", "metrics")
"""Commands that the API leaves out: a message comes in pieces of base64, and the figures have a listener of their own
(`metrics.listen`)."""
JPEG: Final = "image/jpeg"


class Offer(NamedTuple):
    """A command as the API offers it."""

    name: str
    """Name of the command at the control socket."""
    command: Command
    """Its row in the table."""

    @property
    def method(self) -> str:
        """Return GET for a command that only looks, else POST."""
        return hdrs.METH_GET if self.command.looks else hdrs.METH_POST

    @property
    def path(self) -> str:
        """Return the path of the command."""
        return f"{PREFIX}/snapshot.jpg" if self.name == SNAPSHOT else f"{PREFIX}/{self.name.replace('.', '/')}"


def offers(access: Access) -> Iterator[Offer]:
    """Yield the commands that the API offers, in the table's order."""
    for name, command in access.commands.items():
        if command.role and name not in ELSEWHERE:
            yield Offer(name, command)


def routes(access: Access) -> list[web.RouteDef]:
    """Return a route for each command that the API offers."""
    return [
        web.route(offer.method, offer.path, partial(_answer, access, offer), name=offer.name)
        for offer in offers(access)
    ]


async def _answer(access: Access, offer: Offer, request: web.Request) -> web.StreamResponse:
    token = token_of(request)
    if not token.may(offer.command.role):
        return problem(403, f"this needs a token of the role {offer.command.role}; {token.name} is {token.role}")
    try:
        params = _query(request, offer) if offer.command.looks else await _body(request)
    except ValueError as error:
        return problem(400, str(error))
    try:
        answer = await access.ask(offer.name, params, caller=Program(f"API ({token.name})", Way.API))
    except RefusedError as refusal:
        return of_refusal(refusal)
    if offer.name == SNAPSHOT:
        return web.Response(body=base64.b64decode(answer["jpeg"]), content_type=JPEG)
    return web.json_response(answer)


def _query(request: web.Request, offer: Offer) -> Mapping[str, Any]:
    """Return the parameters of a query, each converted from text to its own type; raises ValueError."""
    said = request.query
    if len(said) != len(set(said)):
        raise ValueError("a parameter is given twice")
    try:
        read = msgspec.convert(dict(said), offer.command.parameters, strict=False)
    except msgspec.ValidationError:
        return dict(said)  # the command itself says what it expects
    return {name: value for name, value in msgspec.to_builtins(read).items() if name in said}


async def _body(request: web.Request) -> Mapping[str, Any]:
    """Return the parameters in a body, which may be left out; raises ValueError."""
    data = await request.read()
    if not data:
        return {}
    if request.content_type != "application/json":
        raise ValueError("the parameters are JSON: send the header Content-Type: application/json")
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError("the parameters are one JSON object") from error
