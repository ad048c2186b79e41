"""The certificates that the space shows: it keeps them good while it runs, and says what a door has to trust.

There is always its own one, which the house's CA signs. Beside it the owner's, if they name one, is shown to whoever
asks for a name in it; doors ask by address and trust the CA, whatever becomes of the owner's files.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from intercom.space.errors import CertificateError, SpaceConfigError, StoreError
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.location import Location, Served
from intercom.space.names import Names
from intercom.space.tls.authority import Authority
from intercom.space.tls.certificate import Certificate, now_utc
from intercom.space.tls.owner_certificate import OwnCertificate, read_pair

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""Interval at which a running space looks whether its files were changed: a look costs some microseconds."""
LOOKS_BEFORE_COMPLAINT: Final = 2
"""Number of looks at a pair that cannot be used before that is told: at the first one it may be half written."""
CHECK_S: Final = 86_400.0
"""Interval at which a running space checks whether its certificates expire soon."""
WARN_BEFORE: Final = timedelta(days=21)
"""Time before the end of the owner's certificate from which on the space warns: whoever renews it has tried by then."""


class Tls:
    """The space's TLS, where it speaks TLS itself.

    :param state_dir: where its own certificate and the house's CA live.
    :param on_change: called after a new certificate is in use, or `trouble` changed.
    :param now: the time of day.
    :param whose: what shows the certificate, for the log.
    Raises `SpaceConfigError` when a key is named without a certificate.
    """

    def __init__(
        self,
        config: Served,
        state_dir: Path,
        location: Location,
        *,
        on_change: Callable[[], None],
        now: Callable[[], datetime] = now_utc,
        whose: str = "The space",
    ) -> None:
        if config.key and not config.certificate:
            raise SpaceConfigError("[space] key is set without certificate; name the file of the certificate too.")
        self._location = location
        self._certificate = Certificate(state_dir, location.names)
        self._own_files: tuple[Path, ...] = ()
        if config.certificate:
            self._own_files = (Path(config.certificate), Path(config.key or config.certificate))
        self._own: OwnCertificate | None = None
        self._on_change = on_change
        self._now = now
        self._whose = whose
        self._log = Seldom(logger)
        self._seen: tuple[object, ...] = ()
        self._own_seen: tuple[object, ...] = ()
        "The states of the files as they were before they were read: whatever is written meanwhile is new."
        self._failed_looks = 0
        self.context: ssl.SSLContext | None = None
        """The listener's context; None before `begin`."""
        self.by_ca = False
        """Whether it shows a certificate that the house's CA has signed."""
        self.trouble = ""
        """What the owner has to mend, in words; empty when nothing."""

    def begin(self) -> ssl.SSLContext:
        """Return the context for the listener, whose certificates are kept good from now on."""
        self._read_own()
        if self.trouble:
            logger.warning("%s %s goes on with a certificate of its own CA.", self.trouble, self._whose)
        self._certificate.names = self._house_names()
        self._seen = _states(self._certificate.files)
        if self._certificate.ensure(self._now()):
            logger.info("%s has made a certificate for itself.", self._whose)
        self.context = self._certificate.context()
        self.context.sni_callback = self._choose
        self.by_ca = self._certificate.by_ca
        if not self.by_ca:
            logger.info(
                "The space shows the certificate of an older version, which your devices may know. `intercom space "
                "trust` lets them trust the house's CA instead."
            )
        self._warn_of_the_end()
        return self.context

    @property
    def pinned(self) -> str | None:
        """The PEM that a door trusts, and nothing else; None without TLS."""
        if not self._location.encrypted:
            return None
        self._renew()
        return self._certificate.pinned

    @property
    def authority(self) -> Authority:
        """The house's CA."""
        return self._certificate.authority

    def follow(self) -> None:
        """Renew the space's certificate if it lacks names of the machine, expires soon or was removed."""
        self._certificate.names = self._house_names()
        self._seen = _states(self._certificate.files)
        if self.context is not None:
            self._renew()

    async def watch(self) -> None:
        """Renew the certificate in time, and follow changes of all files, for as long as the space runs."""
        checked = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            daily = time.monotonic() - checked >= CHECK_S
            if daily:
                checked = time.monotonic()
            self.look(daily=daily)

    def look(self, *, daily: bool = False) -> None:
        """Look at the files once, and use what is new; `daily`: look at what expires, too."""
        if _states(self._own_files) != self._own_seen or self._failed_looks:
            self._renew_own()
        elif _states(self._certificate.files) == self._seen and not daily:
            return
        before = self.trouble
        try:
            self.follow()
        except StoreError as problem:
            self._log.warn("certificate", "%s", problem)
        self._warn_of_the_end()
        if self.trouble != before:
            self._on_change()

    def _renew(self) -> None:
        """Make the space's certificate anew unless it is good, and show it: whoever asked, nobody makes it again."""
        if self._certificate.ensure(self._now()) and self.context is not None:
            self._certificate.load_into(self.context)
            self.by_ca = self._certificate.by_ca
            logger.info("%s has renewed its certificate.", self._whose)
            self._on_change()

    def _renew_own(self) -> None:
        """Read the owner's files again; what was read before stays in use when they cannot be used."""
        before = self._own
        self._read_own()
        if self._own is not before:
            logger.info("%s shows the certificate in %s from now on.", self._whose, self._own_files[0])
            self._location.follow()
            self._on_change()
        elif self._failed_looks == LOOKS_BEFORE_COMPLAINT:
            logger.warning("%s %s goes on with the one before.", self.trouble, self._whose)
            self._on_change()

    def _read_own(self) -> None:
        if not self._own_files:
            return
        self._own_seen = _states(self._own_files)
        try:
            self._own = read_pair(self._own_files[0], self._own_files[1])
        except CertificateError as problem:
            self.trouble = str(problem)
            self._failed_looks += 1
            return
        self.trouble = ""
        self._failed_looks = 0
        self._location.certified = tuple(host for host in self._own.hosts if not host.startswith("*"))

    def _warn_of_the_end(self) -> None:
        if self._own is None or self._failed_looks:
            return
        self.trouble = ""
        if self._own.ends - self._now() < WARN_BEFORE:
            ends = f"{self._own.ends:%Y-%m-%d}"
            over = "ended" if self._own.ends <= self._now() else "ends"
            self.trouble = f"The certificate in {self._own_files[0]} {over} on {ends}; renew it."
            self._log.warn("end", "%s", self.trouble)

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, host: str | None, _context: ssl.SSLContext) -> None:
        """Show the owner's certificate to whoever asks for a name in it, or by an address in it."""
        own = self._own
        if own is None:
            return
        named = own.serves(host) if host else any(each in own.addresses for each in self._location.names.addresses)
        if named:
            connection.context = own.context

    def _house_names(self) -> Names:
        """Return the names for the space's own certificate: those for which the owner has none."""
        names, own = self._location.names, self._own
        if own is None:
            return names
        return Names(tuple(host for host in names.hosts if not own.serves(host)), names.addresses)


def _states(files: Iterable[Path]) -> tuple[object, ...]:
    """Return what tells one state of some files from another."""
    return tuple(map(_state, files))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
