"""Every benchmark, one after the other: ``python -m bench [NAME...]``; writes ``bench/results.md``.

With names only the results of those are written anew.

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
RESULTS = HERE / "results.md"
NAMES = (
    "rego",
    "cel",
    "compile",
    "check",
    "review",
    "library",
    "audit",
    "liveaudit",
    "startup",
    "manifest",
    "schema",
    "sandbox",
    "sandbox_net",
    "apiserver",
    "registry",
    "admission",
)


def main() -> int:
    names = sys.argv[1:] or [name for name in NAMES if (HERE / f"{name}.py").exists()]
    parts = {} if len(sys.argv) == 1 else _written()
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
        parts[name] = f"## {name}\n\n```\n{run.stdout.rstrip()}\n```\n"
    head = f"# Results\n\n{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}.\n"
    RESULTS.write_text("\n".join([head, *parts.values()]), encoding="utf-8")
    return int(failed > 0)


def _written() -> dict[str, str]:
    """The results that are there, by their names; those of benchmarks that are run again are replaced."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    _, *parts = text.split("\n## ")
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


if __name__ == "__main__":
    sys.exit(main())
