"""The bundles for the Pod Security Standards, held against Kubernetes' own cases for them.

    python -m tests.conformance.library.standards DIR [--version v1.37]

DIR has ``LEVEL/VERSION/pass.yaml`` and ``fail.yaml``: Pods that a level allows, and Pods that it does not. A
bundle stands for the newest version, which is that of DIR's last folder. Cases listed in ``standards.json`` come
out differently for the reason given there.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from sekisho import manifest
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy.compiler import compile_code
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.library import bundle_objects

LEVELS = ("baseline", "restricted")
VERDICTS = {"pass": False, "fail": True}
NAME = re.compile(r"^--- # (\S+)$", re.MULTILINE)
EXPECTED = Path(__file__).with_name("standards.json")


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when exactly those that are listed come out differently."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.library.standards")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", default="", help="the version whose cases are run")
    options = parser.parse_args(arguments)
    reasons = json.loads(EXPECTED.read_text(encoding="utf-8"))
    passed = failed = surprises = 0
    for level in LEVELS:
        engine = Engine.build(bundle_objects([f"pod-security-{level}"]), compile=compile_code)
        version = options.version or newest(options.folder / level)
        for verdict, refused in VERDICTS.items():
            for name, pod in pods(options.folder / level / version / f"{verdict}.yaml"):
                request = Request.of(apply_defaults(pod))
                as_wanted = bool(engine.review(request, Ask(positions=False))) == refused
                reason = reasons.get(f"{level}/{verdict}/{name}")
                passed, failed = passed + as_wanted, failed + (not as_wanted)
                surprises += as_wanted != (reason is None)
                if not as_wanted:
                    known = f"differs as listed ({reason})" if reason else "DIFFERS"
                    print(f"{known}: {level}/{version}/{verdict}/{name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if surprises or not passed else 0


def newest(folder: Path) -> str:
    """The name of the folder with the largest version."""
    return max((row.name for row in folder.iterdir()), key=lambda name: int(name.rpartition(".")[2]))


def pods(file: Path) -> list[tuple[str, Object]]:
    """The Pods of a file, each with the name in the comment before it."""
    source = manifest.read_source(str(file))
    documents = manifest.load(source)
    return list(zip(NAME.findall(source.text), (Object(row.value, row) for row in documents), strict=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
