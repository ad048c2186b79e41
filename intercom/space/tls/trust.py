"""Says where devices learn to trust the house, from another process than the space's: `intercom space trust`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from intercom.config import SpaceConfig
from intercom.space.auth.membership import answers
from intercom.space.errors import NoSpaceError, StoreError
from intercom.space.location import Location
from intercom.space.store.store import DATABASE, Store
from intercom.space.tls.certificate import Certificate, now_utc

PATIENCE_S: Final = 30.0
"""Time limit for the running space to notice what was changed here; it looks every two seconds."""
LOOK_S: Final = 0.1
"""Poll interval while this process waits for the running space."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Where devices learn to trust the house, and what they are given."""

    url: str
    "The page's URL."
    name: str
    "The CA's name, as a device shows it."
    fingerprint: str
    "The CA's SHA-256 fingerprint."
    changed: bool
    "Whether the space has just given up what its devices knew before."


def devices_learn_trust(
    state_dir: Path, config: SpaceConfig, *, anew: bool = False, sleep: Callable[[float], None] = time.sleep
) -> Trust:
    """Return where devices learn to trust the running space; it shows a certificate of the house's CA from then on.

    :param anew: make a new CA first, which every device has to trust anew.
    Raises `NoSpaceError` when the space hands nothing out and `StoreError` when its files cannot be used.
    """
    if not (state_dir / DATABASE).exists():
        raise NoSpaceError(
            f"There is no space in {state_dir}; start it with `intercom space`, or name its directory with --state-dir."
        )
    names = Location(config).names
    certificate = Certificate(state_dir, names)
    try:
        if anew:
            certificate.authority.make_anew(names, now_utc())
        changed = certificate.give_up_self_signed() or anew
        url = _page_of_running(state_dir, certificate, sleep)
        return Trust(url, certificate.authority.name, certificate.authority.fingerprint, changed)
    except (OSError, ValueError) as problem:
        if isinstance(problem, NoSpaceError):
            raise
        raise StoreError(f"The house's CA in {state_dir} cannot be used: {problem}.") from problem


def _page_of_running(state_dir: Path, certificate: Certificate, sleep: Callable[[float], None]) -> str:
    """Wait until the space shows a certificate of its CA, and return the page's URL."""
    store = Store(state_dir / DATABASE, now=time.time)
    try:
        for _ in range(int(PATIENCE_S / LOOK_S)):
            store.changed_elsewhere()
            place, url = store.place(), store.trust_url()
            port = urlsplit(url).port
            if place is not None and port is not None and answers(place.host, port) and certificate.by_ca:
                return url
            sleep(LOOK_S)
    finally:
        store.close()
    raise NoSpaceError(
        f"No space in {state_dir} hands out a certificate: it does not run, serves this machine alone or behind a "
        "proxy, has the owner's own certificate, or space.trust_port is 0."
    )
