"""The door's account with the service: with what it proves who it is, and how it keeps the connection."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from intercom.config import Config
from intercom.signalwire import CredentialProvider, Options, SpaceCredentials, TokenFileCredentials

OWN_SPACE_DELAY_S = 0.8
"""The house's own space may be asked often: it is back within a second of a restart."""


def options_of(config: Config) -> Options:
    """How the connection of this account is kept."""
    account = config.account
    options = Options(relay_url=account.relay_url, api_url=account.api_url, take_up_calls=False)
    return replace(options, longest_delay_s=OWN_SPACE_DELAY_S) if account.credential == "space" else options


def credentials_of(config: Config, state_dir: Path) -> CredentialProvider:
    """What this account is known by; nothing is read yet."""
    account = config.account
    if account.credential == "token-file":
        return TokenFileCredentials(Path(account.credential_file))
    return SpaceCredentials(config.credential_path(state_dir, os.environ))
