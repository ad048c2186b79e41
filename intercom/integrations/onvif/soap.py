"""SOAP 1.2 as ONVIF speaks it: an operation out of a message, and an answer or a fault into one. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

MOST_BYTES = 64 * 1024
"""Limit of a message: a client's have a few kilobytes."""
NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "ter": "http://www.onvif.org/ver10/error",
    "tns1": "http://www.onvif.org/ver10/topics",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
_SECURITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_UTILITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
_PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()}


class SoapError(ValueError):
    """A message cannot be answered; the client is told a fault with this code and this sentence.

    :param challenge: what the client has to answer by HTTP, to ask again.
    """

    def __init__(self, why: str, code: str = "ter:WellFormed", *, status: int = 400, challenge: str = "") -> None:
        super().__init__(why)
        self.code = code
        self.status = status
        self.challenge = challenge


@dataclass(frozen=True, slots=True)
class Token:
    """The proof of a password in a message's head (WS-UsernameToken)."""

    name: str
    """Name of the account."""
    digest: str
    """Proof, in Base64."""
    nonce: str
    """Number that was used once, in Base64."""
    created: str
    """Time of the proof, as the client wrote it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a message asks for."""

    name: str
    """Operation with the prefix of its service: "tds:GetScopes"."""
    body: Element
    """Its element."""
    token: Token | None
    """Proof of who asks; None where there is none."""

    def text(self, name: str, default: str = "") -> str:
        """Return the text of the first element with this name, whatever its namespace."""
        for element in self.body.iter():
            if isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name:
                return (element.text or "").strip()
        return default


def read(message: bytes) -> Operation:
    """Return the operation in a message; raises SoapError. Entities and document types are refused."""
    if len(message) > MOST_BYTES:
        raise SoapError(f"a message has more than {MOST_BYTES} bytes", status=413)
    try:
        envelope = fromstring(message, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SoapError(f"this is no XML that is read here: {type(error).__name__}") from error
    soap = f"{{{NAMESPACES['s']}}}"
    body = envelope.find(f"{soap}Body")
    if envelope.tag != f"{soap}Envelope" or body is None or not len(body):
        raise SoapError("this is no message of SOAP 1.2")
    asked = body[0]
    uri, _, name = asked.tag.removeprefix("{").rpartition("}")
    head = envelope.find(f"{soap}Header")
    return Operation(f"{_PREFIXES.get(uri, '?')}:{name}", asked, None if head is None else _token(head))


def _token(head: Element) -> Token | None:
    found = head.find(f".//{_SECURITY}UsernameToken")
    if found is None:
        return None

    def text(name: str) -> str:
        return (found.findtext(name) or "").strip()

    return Token(
        text(f"{_SECURITY}Username"),
        text(f"{_SECURITY}Password"),
        text(f"{_SECURITY}Nonce"),
        text(f"{_UTILITY}Created"),
    )


def element(name: str, *children: str, **attributes: str) -> str:
    """Return an element; `children` are elements, or text that `text` has made."""
    written = "".join(
        f' {key.replace("_", ":")}="{escape(value, {chr(34): "&quot;"})}"' for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>"


def text(name: str, value: object) -> str:
    """Return an element that holds a text."""
    return element(name, escape(str(value)))


def flag(name: str, value: bool) -> str:
    """Return an element that holds true or false."""
    return text(name, "true" if value else "false")


def flags(**values: bool) -> Mapping[str, str]:
    """Return attributes that are true or false."""
    return {name: "true" if value else "false" for name, value in values.items()}


def envelope(body: str) -> bytes:
    """Return a message; it begins without a blank, which some clients do not take."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}<s:Envelope {_DECLARED}><s:Body>{body}</s:Body></s:Envelope>".encode()


def fault(error: SoapError) -> bytes:
    """Return the message of a fault (ONVIF Core Specification, 5.11.2)."""
    code = element(
        "s:Code",
        text("s:Value", "s:Sender" if error.status < 500 else "s:Receiver"),
        element("s:Subcode", text("s:Value", error.code)),
    )
    reason = element("s:Reason", '<s:Text xml:lang="en">' + escape(str(error)) + "</s:Text>")
    return envelope(element("s:Fault", code, reason))
