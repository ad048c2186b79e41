"""Answers in which a request is refused: problem details as JSON (RFC 9457), whoever refuses it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web

from intercom.control.errors import RefusedError
from intercom.control.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, REFUSED
from intercom.space.http.request_filter import Handler

CONTENT_TYPE: Final = "application/problem+json"
STATUS_OF_CODE: Final = {INVALID_PARAMS: 400, METHOD_NOT_FOUND: 404, REFUSED: 409}
"""HTTP status for each code of the control socket; any other is a defect of ours."""
_KEPT_HEADERS: Final = (hdrs.ALLOW, hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an answer that refuses a request."""
    content: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.json_response(content, status=status, headers=headers, content_type=CONTENT_TYPE)


def of_refusal(refusal: RefusedError) -> web.Response:
    """Return the answer for a command that the door refuses."""
    return problem(STATUS_OF_CODE.get(refusal.code, 500), str(refusal))


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal of the libraries and the request filter into a problem."""
    try:
        answer = await handler(request)
    except web.HTTPException as raised:
        if raised.status < 400:
            raise
        return problem(raised.status, raised.text or raised.reason, _kept(raised))
    if answer.status < 400 or not isinstance(answer, web.Response) or answer.content_type == CONTENT_TYPE:
        return answer
    return problem(answer.status, (answer.text or "").strip() or answer.reason or "", _kept(answer))


def _kept(answer: web.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
