"""``python -m modelport.cli``: the same as ``modelport``."""

import sys

from modelport.cli import main

sys.exit(main())
