"""The certificates that the space shows: it keeps them good while it runs, and says what a door has to trust."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from intercom.space.authority import Authority
from intercom.space.certificate import Certificate, now_utc
from intercom.space.errors import StoreError
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.location import Location

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""Interval at which a running space looks whether its files were changed: a look costs some microseconds."""
CHECK_S: Final = 86_400.0
"""Interval at which a running space checks whether its certificate expires soon."""


class Tls:
    """The space's TLS, where it speaks TLS itself.

    :param state_dir: where its own certificate and the house's CA live.
    :param on_new: called after a new certificate is in use.
    """

    def __init__(self, state_dir: Path, location: Location, *, on_new: Callable[[], None]) -> None:
        self._location = location
        self._certificate = Certificate(state_dir, location.names)
        self._on_new = on_new
        self.context: ssl.SSLContext | None = None
        """The listener's context; None before `begin`."""
        self._log = Seldom(logger)
        self._seen: tuple[object, ...] = ()
        self.by_ca = False
        """Whether it shows a certificate that the house's CA has signed."""

    def begin(self) -> ssl.SSLContext:
        """Return the context for the listener, whose certificate is kept good from now on."""
        if self._certificate.ensure(now_utc()):
            logger.info("The space has made a certificate for itself.")
        self.context = self._certificate.context()
        self.by_ca = self._certificate.by_ca
        self._seen = self._files()
        return self.context

    @property
    def pinned(self) -> str | None:
        """The PEM that a door trusts, and nothing else; None without TLS."""
        if not self._location.encrypted:
            return None
        self._certificate.ensure(now_utc())
        return self._certificate.pinned

    @property
    def authority(self) -> Authority:
        """The house's CA."""
        return self._certificate.authority

    def follow(self) -> None:
        """Renew the certificate if it lacks names of the machine, expires soon or was removed."""
        self._certificate.names = self._location.names
        if self.context is not None and self._certificate.ensure(now_utc()):
            self._certificate.load_into(self.context)
            self.by_ca = self._certificate.by_ca
            logger.info("The space has renewed its certificate.")
            self._on_new()
        self._seen = self._files()

    async def watch(self) -> None:
        """Renew the certificate in time, and whenever its files change, for as long as the space runs."""
        checked = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            if self._files() == self._seen and time.monotonic() - checked < CHECK_S:
                continue
            checked = time.monotonic()
            try:
                self.follow()
            except StoreError as problem:
                self._log.warn("certificate", "%s", problem)

    def _files(self) -> tuple[object, ...]:
        """Return what tells one state of the files from another."""
        return tuple(map(_state, self._certificate.files))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
