"""Where Debian's packages come from."""

from __future__ import annotations

import subprocess

DEBIAN = "http://deb.debian.org/debian"


def debian_mirror() -> str:
    """The Debian mirror of this machine's own apt sources; Debian's own where there is none."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:  # no Debian at all
        return DEBIAN
    for line in sorted(set(listed.splitlines())):
        origin, _, uri = line.partition(" ")
        if origin == "Debian" and uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    return DEBIAN
