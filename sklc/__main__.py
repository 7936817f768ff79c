"""``python -m sklc`` is the command ``sklc``."""

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("sklc.cli").main())
