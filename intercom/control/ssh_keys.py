"""The restricted keys in an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from intercom import atomic_file
from intercom.control.errors import KeyFileError
from intercom.control.roles import ROLES

KEY_LIMIT_BYTES = 16_384
"""Limit of a key file: an RSA key of 16384 bits has 3 KB."""
INSTALLED = Path("/etc/intercom/ssh/authorized_keys")
"""File of an installed door's keys: sshd reads them there (systemd/intercom.sshd.conf), and root alone writes them."""
RSA_BITS_LEAST = 2048
"""Least length of an RSA key: OpenSSH's own policy refuses shorter ones today."""
NAME_LIMIT = 40
"""Limit of a key's name in characters."""
_TYPES = {
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
}
_OURS = re.compile(
    rf'restrict,pty,command="[^"]+ ssh-gate (?P<role>{"|".join(ROLES)}) --name (?P<name>[A-Za-z0-9@._-]+)'
    r'(?: --socket (?P<socket>[^"]+))?" '
    r"(?P<type>\S+) (?P<blob>\S+)"
)


class PublicKey(NamedTuple):
    """A public key."""

    type: str
    """Algorithm, as SSH names it."""
    blob: str
    """Key data in Base64."""
    name: str
    """Name of the owner: the key's comment, reduced to letters, digits and @ . _ -"""

    @property
    def fingerprint(self) -> str:
        """Fingerprint as `ssh-keygen -l` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class InstalledKey(NamedTuple):
    """A key that may run commands."""

    key: PublicKey
    """Public key."""
    role: str
    """Role: viewer or operator."""
    socket: Path | None = None
    """Path of the control socket if it is not the usual one."""


def parse_public_key(text: str) -> PublicKey:
    """Return the one public key in this text; KeyFileError says what the text is instead."""
    if "PRIVATE KEY" in text:
        raise KeyFileError("this is the private key, which stays where it is: give the file that ends in .pub")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise KeyFileError(f"expected one line with one public key, not {len(lines)}")
    kind, _, rest = lines[0].partition(" ")
    blob, _, comment = rest.strip().partition(" ")
    if kind not in _TYPES:
        raise KeyFileError("expected a public key (ssh-ed25519 AAAA... name); `ssh-keygen -t ed25519` makes one")
    _check(kind, blob)
    name = re.sub(r"[^A-Za-z0-9@._-]+", "-", comment).strip("-")[:NAME_LIMIT]
    return PublicKey(kind, blob, name or "unnamed")


def _check(kind: str, blob: str) -> None:
    # Here and not above: it costs 40 ms, and only a key that is added needs it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        key = load_ssh_public_key(f"{kind} {blob}".encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError("the key is damaged: copy the whole line of the .pub file") from None
    if isinstance(key, RSAPublicKey) and key.key_size < RSA_BITS_LEAST:
        raise KeyFileError(f"an RSA key of {key.key_size} bits is too weak: `ssh-keygen -t ed25519` makes a better one")


def read_key_file(path: Path) -> PublicKey:
    """Return the public key in this file; KeyFileError if there is none, OSError if the file cannot be read."""
    with path.open("rb") as file:
        data = file.read(KEY_LIMIT_BYTES + 1)
    if len(data) > KEY_LIMIT_BYTES:
        raise KeyFileError(f"{path} is too large for a public key")
    return parse_public_key(data.decode("utf-8", "replace"))


class AuthorizedKeys:
    """An authorized_keys file; lines that are not ours stay as they are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def installed(self) -> list[InstalledKey]:
        """Return the keys that may run commands."""
        found = [_OURS.match(line) for line in self._lines()]
        return [
            InstalledKey(
                PublicKey(match["type"], match["blob"], match["name"]),
                match["role"],
                Path(*shlex.split(match["socket"])) if match["socket"] else None,
            )
            for match in found
            if match is not None
        ]

    def of_session(self, signed_in: str) -> InstalledKey | None:
        """Return the key that began an SSH session, from sshd's record of it (sshd_config(5), ExposeAuthInfo)."""
        proven = {tuple(line.split()[1:3]) for line in signed_in.splitlines() if line.startswith("publickey ")}
        return next((entry for entry in self.installed() if (entry.key.type, entry.key.blob) in proven), None)

    def add(self, key: PublicKey, role: str, *, program: str, socket: Path | None = None) -> None:
        """Let this key run its role's commands and nothing else; an installed key gets the new role.

        `program` is the `intercom` command's path; `socket` is the control socket if it is not the usual one.
        """
        if role not in ROLES:
            raise KeyFileError(f"there is no role {role}; there are {', '.join(ROLES)}")
        where = f" --socket {shlex.quote(str(socket))}" if socket else ""
        command = f"{shlex.quote(program)} ssh-gate {role} --name {key.name}{where}"
        if '"' in command or "\\" in command or not command.isprintable():
            raise KeyFileError(f"{program} cannot be written into authorized_keys: install it at a plainer path")
        kept = []
        for line in self._lines():
            if key.blob not in line.split():
                kept.append(line)
            elif not _OURS.match(line):
                raise KeyFileError(f"this key has other rights in {self.path} already: take that line out first")
        self._write([*kept, f'restrict,pty,command="{command}" {key.type} {key.blob} {key.name}'])

    def take_over(self, text: str) -> int:
        """Add the restricted keys of another authorized_keys file and return their number; its other lines stay out."""
        lines = [line for line in text.splitlines() if _OURS.fullmatch(line.rpartition(" ")[0])]
        there = {entry.key.blob for entry in self.installed()}
        self._write([*self._lines(), *(line for line in lines if not there & set(line.split()))])
        return len(lines)

    def remove(self, which: str) -> list[InstalledKey]:
        """Remove the keys with this fingerprint or name and return them; KeyFileError if there is none."""
        gone = [entry for entry in self.installed() if which in (entry.key.fingerprint, entry.key.name)]
        if not gone:
            raise KeyFileError(f"no key has the name or fingerprint {which!a}; `intercom ssh-key list` shows all")
        blobs = {entry.key.blob for entry in gone}
        self._write([line for line in self._lines() if not (_OURS.match(line) and blobs & set(line.split()))])
        return gone

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except FileNotFoundError:
            return []

    def _write(self, lines: list[str]) -> None:
        """Write the file for the directory's owner, as sshd insists; the door's user may read the installed file."""
        directory = self.path.parent
        if not directory.exists():
            directory.mkdir(mode=0o755 if self.path == INSTALLED else 0o700)
            atomic_file.give(directory, directory.parent)
        text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        atomic_file.replace(self.path, text, mode=0o644 if self.path == INSTALLED else 0o600, owner_of=directory)
