"""The arguments that several commands take, and the roles that may run a command over SSH."""

from __future__ import annotations

from pathlib import Path

from intercom.cli.command import takes
from intercom.cli.options import SYSTEM_CONFIG
from intercom.control.roles import ROLES

VIEWER, OPERATOR = ROLES
FLAG = ""
"""Pattern of an option without a value that may be given over SSH."""
SOCKET = takes("--socket", type=Path, metavar="PATH", help="the control socket (default: where it is found)")
CONFIG = takes("--config", type=Path, metavar="FILE", help=f"default: {SYSTEM_CONFIG}, if it exists")
STATE = takes("--state-dir", type=Path, metavar="DIRECTORY", help="default: the service's state directory")
JSON = takes("--json", action="store_true", help="print JSON", ssh=FLAG)
COMMON = (SOCKET, CONFIG, STATE)
"""Options of many commands that say where something is; a short form of a command leaves them out."""
