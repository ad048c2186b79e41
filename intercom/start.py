"""Where the `intercom` command begins. `status`, asked again and again, runs before any parser."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command and return its exit status."""
    command, *options = sys.argv[1:] or [""]
    if command == "status" and set(options) <= {"--json"}:
        from types import SimpleNamespace

        from intercom.cli_control import run_status

        return run_status(SimpleNamespace(json=bool(options), socket=None))
    from intercom.cli import main as main_with_parser

    return main_with_parser()


if __name__ == "__main__":
    sys.exit(main())
