"""``python -m sekisho`` is ``sekisho``."""

from sekisho.cli.main import main

main()
