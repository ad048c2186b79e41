"""The entry point of the `intercom` command.

Two commands run before any parser is loaded: `status`, which is asked again and again, and `door-off`, which locks a
door that may stand open.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command and return its exit status."""
    command, *options = sys.argv[1:] or [""]
    if command == "status" and set(options) <= {"--json"}:
        from types import SimpleNamespace

        from intercom.cli.running_door.remote import run_status

        return run_status(SimpleNamespace(json=bool(options), socket=None))
    if command == "door-off" and (not options or (options[0] == "--config" and len(options) == 2)):
        from intercom.door_off import run

        return run(options[1] if options else None)
    from intercom.cli.main import main as main_with_parser

    return main_with_parser()
