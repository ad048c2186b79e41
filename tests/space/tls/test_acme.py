"""A certificate by ACME and a name server, with Debian's lego, as docs/certificates.md tells people to get one."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.space.tls.pebble import MISSING, Acme, pebble
from tests.space.tls.test_owner_certificate import shown

PAGE = Path(__file__).parents[3] / "docs" / "certificates.md"
NAME = "door.example.com"
WAIT_S = 120.0

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} is not installed (apt install lego pebble)"
)


def documented(folder: Path) -> list[str]:
    """The command of the page, with its hook, for a folder of the test's own and a name server that a script tells."""
    text = PAGE.read_text(encoding="utf-8")
    hook = re.search(r"```sh-hook\n(.*?)```", text, re.DOTALL)
    command = re.search(r"^    (sudo -E lego .*?)$", text, re.MULTILINE)
    assert hook is not None
    assert command is not None
    script = folder / "hook"
    script.write_text(hook[1].replace("-o intercom-space ", "").replace("/etc/intercom/tls", str(folder)))
    script.chmod(0o700)
    words = command[1].removeprefix("sudo -E ").split()
    told = {"/usr/local/sbin/intercom-certificate": str(script), "/var/lib/lego": str(folder / "lego")}
    return [told.get(word, word).replace("cloudflare", "exec") for word in words]


def order(acme: Acme, command: list[str]) -> None:
    """Get a certificate; Pebble's name server is no real one: lego must not ask the world for the name."""
    lego, *rest = command
    words = [lego, "--server", acme.directory, "--dns.disable-cp", *rest]
    environment = {**os.environ, **acme.environment}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr


async def test_the_documented_command_gets_a_certificate_that_the_space_shows(tmp_path: Path) -> None:
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    space = Space(
        SpaceConfig(listen="127.0.0.1:0", tls="on", certificate=str(certificate), key=str(key)), tmp_path / "state"
    )
    await space.start()
    try:
        (tmp_path / "pebble").mkdir()
        with pebble(tmp_path / "pebble") as acme:
            await asyncio.to_thread(order, acme, documented(tmp_path))
        assert key.stat().st_mode & 0o777 == 0o600
        space.tls.look()
        seen = x509.load_der_x509_certificate(await shown(space, NAME))
        assert seen == x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        assert "Pebble" in seen.issuer.rfc4514_string()
    finally:
        await space.stop()
