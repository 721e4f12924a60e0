"""`python -m kineme`: the same as the `kineme` command."""

import sys

from kineme.cli.main import main

sys.exit(main())
