"""`python -m intercom` runs the `intercom` command."""

import sys

from intercom.cli.fast_status import main

if __name__ == "__main__":
    sys.exit(main())
