"""`intercom preflight`: makes a test call to an address that answers by itself, beside the running door."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from intercom.cli import render as text
from intercom.cli.options import with_config
from intercom.cli.running_door.remote import OK, TROUBLE, USAGE, colour, complain, print_json, say
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.config import Config
    from intercom.signalwire import CredentialProvider, PreflightResult

LONGEST_S = 300.0
"""Longest test call; the space's echo then hangs up."""
CONNECT_S = 10.0
"""Time limit for connecting; a service that takes longer is down, or far away."""


def _preflight(options: argparse.Namespace, config: Config) -> int:
    if not 1 <= options.seconds <= LONGEST_S:
        complain(f"--seconds takes a number from 1 to {LONGEST_S:g}")
        return USAGE
    import asyncio

    from intercom.config.fields import DESTINATION
    from intercom.signalwire import SignalWireError

    if not DESTINATION.accepts(options.address):
        complain(f"expected {DESTINATION.expected}")
        return TROUBLE
    state_dir = options.state_dir or config.state_path(os.environ)
    try:
        credentials = _credentials(config, state_dir)
        run_as_service.become_its_user()
        result = asyncio.run(_call(config, credentials, options.address, options.seconds))
    except TimeoutError:
        complain(f"the service did not let us in within {CONNECT_S:g} s: is it up? `intercom doctor` says more")
        return TROUBLE
    except SignalWireError as error:
        hint = "" if run_as_service.is_its_user() else "; as root or the service's user: `sudo intercom preflight`"
        complain(f"no test call could be made: {error}{hint}")
        return TROUBLE
    if options.json:
        import msgspec

        print_json({"address": options.address, **msgspec.to_builtins(result)})
    else:
        say(report(options.address, result, colour=colour()))
    return OK if result.ok else TROUBLE


preflight = with_config(_preflight, run_as_service.take_its_place)


async def _call(config: Config, credentials: CredentialProvider, address: str, seconds: float) -> PreflightResult:
    """Make the test call with the door's account, in a session of its own that nobody can ring."""
    from intercom.signalwire import AiortcMedia, Options, SignalWire

    account = config.account
    options = Options(
        relay_url=account.relay_url, api_url=account.api_url, connect_timeout_s=CONNECT_S, client_bound=False
    )
    async with SignalWire(credentials, media=AiortcMedia(), options=options) as client:
        await client.connect()
        return await client.preflight(address, duration_s=seconds)


def _credentials(config: Config, state_dir: Path) -> CredentialProvider:
    """Return the door's credentials. A token is read at once, as its file may be root's."""
    from intercom.signalwire import InvalidCredentialsError, SpaceCredentials, StaticCredentials
    from intercom.signalwire.account.access_token import credential_from

    named = config.account.credential_file
    if config.account.credential != "token-file":
        return SpaceCredentials(config.credential_path(state_dir, os.environ))
    try:
        token = credential_from(Path(named).read_text(errors="replace"), named)
    except OSError as error:
        raise InvalidCredentialsError(f"{named} cannot be read: {error.strerror}.") from error
    return StaticCredentials(token.token, token.expires_at)


def report(address: str, result: PreflightResult, *, colour: bool) -> str:
    """Format the result as text."""
    page = text.Page(colour=colour)
    page.row("address", address)
    if result.connected_ms is not None:
        page.row("connected", f"after {result.connected_ms:.0f} ms")
    if result.quality_score is not None:
        good = result.quality_score >= 4
        page.row("quality", f"{result.quality_score:.1f} of 4.5", text.GREEN if good else text.YELLOW)
    for label, value, unit in (
        ("trip", result.round_trip_ms, "ms there and back"),
        ("jitter", result.jitter_ms, "ms"),
        ("loss", result.loss_percent, "%"),
    ):
        if value is not None:
            page.row(label, f"{value:.1f} {unit}")
    for sentence in result.warnings:
        page.row("note", sentence, text.YELLOW)
    page.row("verdict", "calls work" if result.ok else "calls do not work", text.GREEN if result.ok else text.RED)
    return str(page)
