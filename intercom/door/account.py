"""The door's account with the service: its credentials and its connection options."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from intercom.config import Config
from intercom.signalwire import CredentialProvider, Options, SpaceCredentials, TokenFileCredentials

OWN_SPACE_DELAY_S = 0.8
"""Limit of the reconnect delay with the house's own space, which is back within a second of a restart."""


def options_of(config: Config) -> Options:
    """Return the connection options of this account."""
    account = config.account
    options = Options(
        relay_url=account.relay_url,
        api_url=account.api_url,
        take_up_calls=False,
        others_may_mute=config.call.far_end_may_mute,
    )
    return replace(options, longest_delay_s=OWN_SPACE_DELAY_S) if account.credential == "space" else options


def credentials_of(config: Config, state_dir: Path) -> CredentialProvider:
    """Return the credential provider of this account; it has read nothing yet."""
    account = config.account
    if account.credential == "token-file":
        return TokenFileCredentials(Path(account.credential_file))
    return SpaceCredentials(config.credential_path(state_dir, os.environ))
