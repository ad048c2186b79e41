"""What a door imports: the lines of `python -X importtime`, which Python writes as each import ends."""

from __future__ import annotations

import re
from collections.abc import Iterable

RUN = ("-X", "importtime", "-m", "intercom", "run")
WARM = b" intercom.media.viewers.viewer\n"
"""The module that a door loads last, when it is registered and has time."""
LINE = re.compile(rb"import time: +(\d+) \| +\d+ \| +(\S+)")


def imports(lines: Iterable[bytes]) -> dict[str, int]:
    """Return the modules that these lines name, and what each of them alone took, in microseconds."""
    found = filter(None, map(LINE.match, lines))
    return {name.decode(): int(took_us) for took_us, name in (line.groups() for line in found)}
