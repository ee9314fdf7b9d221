"""Every benchmark, one after the other: ``python -m bench [NAME...]``; writes ``bench/results.md``.

Each is a program (``python -m bench.check``) and runs in a process of its own. Figures are ratios against a
peer or a baseline in the same run; a peer that is not installed is named (``tools/peers.sh`` installs them).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    "rego",
    "cel",
    "compile",
    "check",
    "review",
    "library",
    "audit",
    "startup",
    "manifest",
    "schema",
    "sandbox",
    "apiserver",
)


def main() -> int:
    names = sys.argv[1:] or [name for name in NAMES if (HERE / f"{name}.py").exists()]
    parts = [
        f"# Results\n\n{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}.\n"
    ]
    failed = 0
    for name in names:
        print(f"== {name}", flush=True)
        run = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"],
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(run.stdout, flush=True)
        failed += run.returncode != 0
        parts.append(f"## {name}\n\n```\n{run.stdout.rstrip()}\n```\n")
    if len(sys.argv) == 1:
        (HERE / "results.md").write_text("\n".join(parts), encoding="utf-8")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
