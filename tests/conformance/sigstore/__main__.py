"""Runs sigstore-conformance's cases: ``python -m tests.conformance.sigstore DIR [--all]``.

DIR is a folder in the form of that suite's ``test/assets/bundle-verify``: a folder for each case, with
``bundle.sigstore.json``, perhaps ``artifact``, ``identity``, ``issuer``, ``key.pub``, ``trusted_root.json``; its
name ends in ``_fail`` if it must not verify. Each case is asked with the artifact's file and with its digest, by
the command line that the suite prescribes. Cases that need the public good instance's root (no key and no
trusted root of their own) are run with ``--all`` only; those with a certificate need the extra ``sigstore``.
Prints each failing case, then ``N passed, M failed`` on a line of its own. A case listed in ``expected.json``
counts as failed; it is an error if it passes, and so is a failure that is not listed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sekisho.cli.main import run

IDENTITY: Final = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER: Final = "https://token.actions.githubusercontent.com"


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when exactly the expected ones fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.sigstore")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="also cases of the public good instance")
    options = parser.parse_args(arguments)
    keyless = find_spec("sigstore") is not None
    expected = json.loads(Path(__file__).with_name("expected.json").read_text(encoding="utf-8"))
    passed = failed = skipped = surprises = 0
    for bundle in sorted(options.folder.rglob("bundle.sigstore.json")):
        case = bundle.parent
        own = (case / "key.pub").exists() or ((case / "trusted_root.json").exists() and keyless)
        if not (own or (options.all and keyless)):
            skipped += 1
            continue
        for problem in (run_case(case, digest=False), run_case(case, digest=True)):
            listed = case.name in expected
            if problem:
                print(f"fails as listed: {case.name}" if listed else f"FAILS: {problem}")
            elif listed:
                print(f"PASSES although listed: {case.name}")
            surprises += bool(problem) != listed
            passed, failed = passed + (not problem), failed + bool(problem)
    if skipped:
        print(f"{skipped} cases skipped: they need the public good instance's root or the extra sigstore")
    print(f"{passed} passed, {failed} failed")
    return 1 if surprises else 0


def run_case(case: Path, *, digest: bool) -> str:
    """Why a case fails; empty if it passes."""
    artifact = case / "artifact" if (case / "artifact").exists() else case.parent / "a.txt"
    about = f"sha256:{hashlib.sha256(artifact.read_bytes()).hexdigest()}" if digest else str(artifact)
    words = ["images", "verify-bundle", "--bundle", str(case / "bundle.sigstore.json")]
    if (case / "key.pub").exists():
        words += ["--key", str(case / "key.pub")]
    else:
        words += ["--certificate-identity", _text(case / "identity", IDENTITY)]
        words += ["--certificate-oidc-issuer", _text(case / "issuer", ISSUER)]
    if (case / "trusted_root.json").exists():
        words += ["--trusted-root", str(case / "trusted_root.json")]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = run([*words, about])
    wanted = 1 if case.name.endswith("fail") else 0
    how = "digest" if digest else "file"
    return "" if status == wanted else f"{case.name} by {how}: exit {status}, not {wanted}: {said.getvalue()}"


def _text(file: Path, otherwise: str) -> str:
    return file.read_text(encoding="utf-8").strip() if file.exists() else otherwise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
