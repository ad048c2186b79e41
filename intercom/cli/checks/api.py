"""What `intercom doctor` finds out about the HTTP API: who reaches it, how, and what its tokens may."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.cli.render import printable
from intercom.config import Config
from intercom.control.roles import PROGRAM_ROLES
from intercom.integrations.tokens import FILE, Token, TokenError, Tokens
from intercom.space.location import Location

OPENER = PROGRAM_ROLES[-1]
NEW = "`intercom api token add NAME` makes one"


def programs(
    config: Config, doc: Mapping[str, Any] | None, state_dir: Path, *, now: datetime | None = None
) -> Iterator[Finding]:
    """Yield where the API serves, from the status of the running door, if there is one, and what its tokens are."""
    if not config.api.listen:
        return
    yield _served(config, ((doc or {}).get("integrations") or {}).get("api"))
    yield from _tokens(state_dir / FILE, now or datetime.now(UTC))


def _served(config: Config, told: Mapping[str, Any] | None) -> Finding:
    if told is None:
        mend = "restart the door; if it runs, `intercom faults` says why it does not serve"
        return Finding("api", WARNING, "no running door serves api.listen", mend)
    if told["trouble"]:
        return Finding("api", BAD, printable(told["trouble"]), "put the certificate right; docs/api.md")
    return Finding("api", GOOD, f"serves {_reach(config)} at {printable(told['url'])}")


def _reach(config: Config) -> str:
    """Return who reaches the API, and whether what they say is encrypted."""
    location = Location(config.api)
    if location.only_proxied:
        return "in clear, and nobody but its reverse proxies,"
    whom = "this machine alone" if location.loopback else "the network"
    return f"{whom}, {'by TLS,' if location.encrypted else 'in clear,'}"


def _tokens(file: Path, now: datetime) -> Iterator[Finding]:
    try:
        tokens = Tokens(file).all()
        mode = stat.S_IMODE(file.stat().st_mode) if tokens else 0
    except TokenError as error:
        yield Finding("tokens", BAD, str(error), "nobody can use the API until the file is put right, or made anew")
        return
    if mode & 0o077:
        told = f"{file} can be read by others (mode {mode:04o})"
        yield Finding("tokens", BAD, told, f"`chmod 600 {file}`")
    good = [token for token in tokens if not token.is_over(now)]
    if over := [token for token in tokens if token.is_over(now)]:
        told = f"{_names(over)}: the time of the token is over"
        yield Finding("tokens", WARNING, told, f"`intercom api token remove NAME`; {NEW}")
    if not good:
        yield Finding("tokens", WARNING, "no program has one that counts, so that nobody can use the API", NEW)
        return
    if lasting := [token for token in good if token.may(OPENER) and token.ends_at is None]:
        told = f"{_names(lasting)} may open the door, with a token that never ends"
        mend = "`intercom api token add NAME --role opener --days 90` makes one that does"
        yield Finding("tokens", WARNING, told, mend)
    yield Finding("tokens", GOOD, _summary(good))


def _summary(tokens: list[Token]) -> str:
    openers = [token for token in tokens if token.may(OPENER)]
    endless = sum(token.ends_at is None for token in tokens)
    ends = "each has an end" if not endless else f"{endless} never {'ends' if endless == 1 else 'end'}"
    count = "one program has a token" if len(tokens) == 1 else f"{len(tokens)} programs have a token"
    opens = f"{_names(openers)} may open the door" if openers else "none may open the door"
    return f"{count}; {opens}; {ends}"


def _names(tokens: Iterable[Token]) -> str:
    return ", ".join(printable(token.name) for token in tokens)
