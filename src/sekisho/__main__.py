"""``python -m sekisho`` is ``sekisho``."""

from sekisho.cli.entry import main

main()
