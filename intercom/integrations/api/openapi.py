"""The document of the API, OpenAPI 3.1, made from the table of commands and the facts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import msgspec

from intercom import __version__
from intercom.control.roles import PROGRAM_ROLES
from intercom.facts import KINDS
from intercom.integrations.access import Access
from intercom.integrations.api.commands import JPEG, PREFIX, SNAPSHOT, Offer, offers
from intercom.integrations.api.events import EVENT_STREAM, LAST_EVENT_ID, WAIT_LIMIT_S, WAIT_S
from intercom.integrations.api.problems import CONTENT_TYPE

Schema = dict[str, Any]

REF: Final = "#/components/schemas/{name}"
CURSOR: Final = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9]{1,12}$"}
AFTER: Final = {"type": "string", "pattern": "^(0|[0-9a-f]{8}-[0-9]{1,12})?$"}
PROBLEMS: Final = {
    "400": "The request makes no sense; `detail` says what was expected.",
    "401": "There is no token, or it was removed.",
    "403": "The token's role is not enough.",
    "409": "The door cannot do that now; `detail` says why.",
    "429": "Too many requests; try again after `Retry-After` seconds.",
    "500": "A defect of the door; its log says more.",
    "503": "The door cannot read its tokens.",
}


def openapi(access: Access) -> Schema:
    """Return the document."""
    offered = list(offers(access))
    paths: Schema = {offer.path: {offer.method.lower(): _operation(offer)} for offer in offered}
    paths[f"{PREFIX}/events"] = {"get": _events()}
    paths[f"{PREFIX}/openapi.json"] = {"get": _document()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Intercom",
            "version": __version__,
            "description": "A door station. Tokens are made by `intercom api token add`; of the roles "
            f"{', '.join(PROGRAM_ROLES)} each may ask for what the one before it may, and more.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**_schemas(tuple(offered)), **_own_schemas()},
        },
    }


def _operation(offer: Offer) -> Schema:
    command = offer.command
    operation: Schema = {
        "operationId": offer.name.replace(".", "_"),
        "summary": command.about,
        "description": f"Role: {command.role}.",
        "responses": {"200": {"description": "Done.", "content": _answer(offer)}, **_problems()},
    }
    taken = _taken(offer)
    if command.looks:
        operation["parameters"] = [
            {"name": name, "in": "query", "required": name in taken.get("required", ()), "schema": schema}
            for name, schema in taken.get("properties", {}).items()
        ]
    elif taken.get("properties"):
        content = {"application/json": {"schema": taken}}
        operation["requestBody"] = {"required": bool(taken.get("required")), "content": content}
    return operation


def _taken(offer: Offer) -> Schema:
    """Return the schema of a command's parameters, without the name that only the SSH gate may set."""
    found = msgspec.json.schema(offer.command.parameters)
    schema: Schema = dict(found["$defs"][offer.command.parameters.__name__])
    schema["properties"] = {
        name: _as_json_schema(each) for name, each in schema.get("properties", {}).items() if name != "by"
    }
    return schema


def _as_json_schema(schema: Schema) -> Schema:
    """Return a schema whose pattern is one of ECMA's, which has other anchors than Python's."""
    if "pattern" in schema:
        return {**schema, "pattern": schema["pattern"].replace(r"\A", "^").replace(r"\Z", "$")}
    if "anyOf" in schema:
        return {**schema, "anyOf": [_as_json_schema(each) for each in schema["anyOf"]]}
    return schema


def _answer(offer: Offer) -> Schema:
    if offer.name == SNAPSHOT:
        return {JPEG: {"schema": {"type": "string", "contentMediaType": JPEG}}}
    (schema,), _ = msgspec.json.schema_components([offer.command.answer], ref_template=REF)
    return {"application/json": {"schema": schema}}


def _schemas(offered: tuple[Offer, ...]) -> Schema:
    kinds = [offer.command.answer for offer in offered if offer.name != SNAPSHOT]
    _, components = msgspec.json.schema_components([*kinds, *KINDS.values()], ref_template=REF)
    return components


def _own_schemas() -> Schema:
    one_of = [
        {
            "type": "object",
            "properties": {"type": {"const": name}, "data": {"$ref": REF.format(name=kind.__name__)}},
        }
        for name, kind in KINDS.items()
    ]
    return {
        "Event": {
            "type": "object",
            "description": "A fact of the door. `data` is what belongs to its type.",
            "properties": {
                "id": CURSOR,
                "type": {"enum": list(KINDS)},
                "at": {"type": "string", "format": "date-time"},
                "data": {"type": "object"},
            },
            "required": ["id", "type", "at", "data"],
            "oneOf": one_of,
        },
        "Events": {
            "type": "object",
            "properties": {
                "cursor": {**CURSOR, "description": "`after` of the next request."},
                "missed": {"type": "boolean", "description": "Whether facts before these are gone."},
                "events": {"type": "array", "items": {"$ref": REF.format(name="Event")}},
            },
            "required": ["cursor", "missed", "events"],
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457.",
            "properties": {
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
            },
            "required": ["title", "status", "detail"],
        },
    }


def _events() -> Schema:
    after = "Cursor from which on to read; `0` reads all that is kept. Without one: from now on."
    wait = f"For long poll: seconds to wait for the next fact. Default: {WAIT_S}."
    return {
        "operationId": "events",
        "summary": "Tell the facts of the door as they happen.",
        "description": "Role: viewer. With `Accept: text/event-stream` as a stream of server-sent events, each with "
        "its cursor as `id`; else as JSON, as soon as there is a fact. The last 1,000 facts are kept; a stream says "
        "`event: missed` where some are gone.",
        "parameters": [
            {"name": "after", "in": "query", "schema": AFTER, "description": after},
            {
                "name": "wait",
                "in": "query",
                "schema": {"type": "integer", "minimum": 0, "maximum": WAIT_LIMIT_S, "default": WAIT_S},
                "description": wait,
            },
            {"name": LAST_EVENT_ID, "in": "header", "schema": AFTER, "description": "The same as `after`."},
        ],
        "responses": {
            "200": {
                "description": "The facts.",
                "content": {
                    "application/json": {"schema": {"$ref": REF.format(name="Events")}},
                    EVENT_STREAM: {"schema": {"type": "string"}},
                },
            },
            **_problems(),
        },
    }


def _document() -> Schema:
    return {
        "operationId": "openapi",
        "summary": "Return this document.",
        "description": "Role: viewer.",
        "responses": {
            "200": {"description": "It.", "content": {"application/json": {"schema": {"type": "object"}}}},
            **_problems(),
        },
    }


@cache
def _problems() -> Schema:
    return _answers(PROBLEMS.items())


def _answers(problems: Iterable[tuple[str, str]]) -> Schema:
    content = {CONTENT_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}}
    return {status: {"description": what, "content": content} for status, what in problems}
