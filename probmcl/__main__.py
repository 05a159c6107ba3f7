"""The command line, ``python -m probmcl run digits``: it is the book's, see ``probmcl_book.commands``."""

import sys
from importlib.util import find_spec

if find_spec("rich") is None or find_spec("yaml") is None:
    sys.exit("The command line needs what the book needs beside the package: pip install 'probmcl[book]'")

try:
    from probmcl_book.commands import main
except KeyboardInterrupt:  # the imports take seconds
    sys.exit("stopped; the same command begins anew")

if __name__ == "__main__":
    raise SystemExit(main())
