"""Run the command line with ``python -m forepass``."""

import sys

from forepass.cli import main

if __name__ == "__main__":
    sys.exit(main())
