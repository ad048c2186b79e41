"""The entry point of the `intercom` command.

Three commands run before any parser is loaded: `status`, which is asked again and again, `door-off`, which locks a
door that may stand open, and `run`, which would keep the parser in memory as long as the door runs.
"""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command and return its exit status."""
    command, *options = sys.argv[1:] or [""]
    gc.disable()  # what is imported is never thrown away, and the collector would look through it a hundred times
    if command == "status" and set(options) <= {"--json"}:
        from types import SimpleNamespace

        from intercom.cli.running_door.remote import run_status

        return run_status(SimpleNamespace(json=bool(options), socket=None))
    names_config = len(options) == 2 and options[0] == "--config"
    if command == "door-off" and (names_config or not options):
        from intercom.door_off import run

        return run(options[1] if names_config else None)
    if command == "run" and (names_config or not options):
        from intercom.cli.run import run_service

        return run_service(options[1] if names_config else None)
    gc.enable()
    from intercom.cli.main import main as main_with_parser

    return main_with_parser()
