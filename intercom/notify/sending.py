"""Send one message through apprise. Only the child process imports this: apprise costs a second and 30 MB."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from apprise import Apprise, AppriseAsset, AppriseAttachment, NotifyFormat, NotifyType
from apprise.attachment.memory import AttachMemory
from apprise.exception import AppriseException
from apprise.plugins.base import NotifyBase

from intercom.notify.message import Order, Outcome, Verdict
from intercom.notify.wire_tap import WireTap

OPEN_THE_PAGE = "Open the page"
READ_TIMEOUT_S = 10.0
"""Limit of the wait for a service's answer to a picture, over a slow line."""
NOT_UNDERSTOOD = "apprise does not understand its url: is the word before :// right, and is all there?"
ALONE = {
    "discord": "discord",
    "gotify": "gotify",
    "gotifys": "gotify",
    "json": "custom_json",
    "jsons": "custom_json",
    "mailto": "email",
    "mailtos": "email",
    "matrix": "matrix",
    "matrixs": "matrix",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "pover": "pushover",
    "signal": "signal_api",
    "signals": "signal_api",
    "slack": "slack",
    "tgram": "telegram",
}
"""apprise's module for the services that most houses use: loading one takes a quarter of the time of all 130."""


def prepare(scheme: str) -> None:
    """Load what a URL that begins so needs."""
    _alone(scheme)


def send(asked: bytes) -> bytes:
    """Send the message of an `Order`, as JSON, and return the `Outcome`, as JSON."""
    return msgspec.json.encode(_send(msgspec.json.decode(asked, type=Order)))


def judge(asked: bytes) -> bytes:
    """Return the `Verdict` on a list of URLs; both as JSON."""
    urls = msgspec.json.decode(asked, type=list[str])
    return msgspec.json.encode(Verdict(["" if _service(url, {}) else NOT_UNDERSTOOD for url in urls]))


def _send(order: Order) -> Outcome:
    more = _LINKS.get(_scheme(order.url), _no_button)(order.link) if order.link else {}
    service = _service(order.url, more)
    if service is None:
        return Outcome(arrived=False, why=NOT_UNDERSTOOD)
    body = f"{order.body}\n{OPEN_THE_PAGE}: {order.link}" if order.link and not more else order.body
    with WireTap(_headers(service, order)) as tap:
        if not order.picture:
            return _attempt(service, order, body, tap)
        outcome = _attempt(service, order, body, tap, order.picture)
        if outcome.arrived or not tap.may_dislike_the_picture:
            return outcome
        tap.begin()
        without = _attempt(service, order, body, tap)
    if without.arrived:
        return Outcome(arrived=True, why=f"without the picture, which it did not take: {outcome.why}")
    return without


def _attempt(service: NotifyBase, order: Order, body: str, tap: WireTap, picture: bytes = b"") -> Outcome:
    attached = AppriseAttachment(asset=service.asset)
    if picture:
        attached.add(AttachMemory(content=picture, name="door.jpg", mimetype="image/jpeg"))
    one = Apprise(asset=service.asset)
    one.add(service)
    arrived = one.notify(
        body=body,
        title=order.title,
        notify_type=NotifyType.WARNING if order.warns else NotifyType.INFO,
        body_format=NotifyFormat.TEXT,
        attach=attached if picture else None,
    )
    return Outcome(arrived=True) if arrived else tap.outcome


def _service(url: str, more: Mapping[str, Any]) -> NotifyBase | None:
    """Return the service of this URL, with parameters of ours where the owner has set none; None if there is none."""
    asset = AppriseAsset(
        app_id="Intercom",
        app_desc="Intercom",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        # A message that was sent elsewhere would count as delivered.
        http_redirects=False,
    )
    plugin = _alone(_scheme(url))
    try:
        if plugin is None:
            found: NotifyBase | None = Apprise.instantiate(url, asset=asset)
        else:
            parsed = plugin.parse_url(url.replace("/#", "/%23"))
            found = plugin(**{**more, **parsed, "asset": asset}) if parsed else None
    except (AppriseException, TypeError, ValueError):
        return None
    if found is None or not len(found):  # it names nobody
        return None
    if "rto=" not in url:
        found.socket_read_timeout = READ_TIMEOUT_S
    return found


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _alone(scheme: str) -> type[NotifyBase] | None:
    """Return apprise's class for this scheme without loading any other; None when it is not one of `ALONE`."""
    if scheme not in ALONE:
        return None
    module = importlib.import_module(f"apprise.plugins.{ALONE[scheme]}")
    kinds = (kind for name, kind in vars(module).items() if name.startswith("Notify") and isinstance(kind, type))
    return next(kind for kind in kinds if issubclass(kind, NotifyBase) and scheme in NotifyBase.schemas(kind))


def _headers(service: NotifyBase, order: Order) -> dict[str, str]:
    """Return the headers with which ntfy replaces a message, and rings for an urgent one alone."""
    if service.service_name != "ntfy":
        return {}
    headers = {"X-Sequence-ID": order.tag} if order.tag else {}
    if "priority=" not in order.url:
        headers["X-Priority"] = "high" if order.urgent else "low"
    return headers


def _no_button(link: str) -> dict[str, str]:
    return {}


def _ntfy(link: str) -> dict[str, str]:
    return {"click": link, "actions": f'view, {OPEN_THE_PAGE}, "{link}", clear=true'}


_LINKS: dict[str, Callable[[str], dict[str, str]]] = {
    "ntfy": _ntfy,
    "ntfys": _ntfy,
    "pover": lambda link: {"supplemental_url": link, "supplemental_url_title": OPEN_THE_PAGE},
}
"""Parameters by which a service shows a link as a button; any other gets it at the end of the text."""
