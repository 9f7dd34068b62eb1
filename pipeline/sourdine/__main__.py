"""``python -m sourdine``."""

import sys

from sourdine.cli import main

if __name__ == "__main__":
    sys.exit(main())
