"""Reads kubeconfigs beside the real kubectl: ``python -m tests.conformance.kubeconfig``.

    python -m tests.conformance.kubeconfig [--kubectl PATH ...] [--generated N] [--seed N] [--only TEXT]

For each case kubectl and we ask a server on the loopback, which notes what it is shown: token, certificate,
impersonation, path, whether it came through the proxy. Both must show the same, or both must fail; so must the
namespace and the merged files (``kubectl config view``). Prints each failing case, then ``N passed, M failed``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client
from sekisho.cluster.connection import Impersonation
from sekisho.cluster.kubeconfig import Config, Wanted
from sekisho.diag import DiagnosticError
from tests.conformance.kubeconfig.cases import Case, all_cases, generated
from tests.conformance.kubeconfig.servers import World, world
from tests.conformance.kubectl.driver import installed

SECONDS = 30.0

Outcome = dict[str, Any] | None
"""What the server saw, None where nothing came through."""


def environment(case: Case, folder: Path) -> dict[str, str]:
    """The variables of a case: nothing of the caller's but its programs."""
    listed = os.pathsep.join(str(folder / name) for name in case.listed)
    return {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "KUBECONFIG": listed}


def write(case: Case, folder: Path) -> None:
    """The files of a case."""
    for name, value in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        if path.name == "plug":
            path.chmod(0o700)


def theirs(program: Path, case: Case, folder: Path, there: World) -> tuple[Outcome, str, str]:
    """What the server saw of kubectl, its namespace, and what it printed."""
    flags = [f"--{key}={value}" for key, value in case.flags.items()]
    env = environment(case, folder)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *flags, *args],
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    done = run("api-versions")
    seen = there.take()
    view = run("config", "view", "--minify", "--raw", "--flatten", "-o", "json")
    namespace = ""
    if view.returncode == 0 and seen is not None:
        contexts = json.loads(view.stdout).get("contexts") or [{}]
        namespace = (
            case.flags.get("namespace") or contexts[0].get("context", {}).get("namespace") or "default"
        )
    return (seen if done.returncode == 0 else None), namespace, done.stderr.strip()


def ours(case: Case, folder: Path, there: World) -> tuple[Outcome, str, str]:
    """The same of ours."""
    flags = dict(case.flags)
    wanted = Wanted(
        context=flags.get("context", ""),
        cluster=flags.get("cluster", ""),
        user=flags.get("user", ""),
        namespace=flags.get("namespace", ""),
        server=flags.get("server", ""),
        impersonate=Impersonation(user=flags.get("as", "")),
    )
    paths = kubeconfig.files("", environment(case, folder))

    async def ask() -> str:
        connection = kubeconfig.connection(Config.read(paths), wanted)
        async with Client(connection) as client:
            await client.call("GET", "/api")
        return connection.namespace

    os.chdir(folder)
    try:
        namespace = asyncio.run(ask())
    except DiagnosticError as error:
        there.take()
        return None, "", str(error)
    return there.take(), namespace, ""


def normal(seen: Outcome) -> Outcome:
    """With what a plugin was told as a value."""
    if seen is None:
        return None
    token = seen.get("authorization", "")
    if token.startswith("Bearer ey"):
        told = json.loads(base64.b64decode(token.removeprefix("Bearer ")))
        seen = {**seen, "authorization": told}
    return seen


def compare(program: Path, case: Case, there: World) -> str:
    """Why a case fails, empty if it passes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(case, folder)
        seen, namespace, said = theirs(program, case, folder, there)
        here = Path.cwd()
        try:
            we_seen, we_namespace, we_said = ours(case, folder, there)
        finally:
            os.chdir(here)
    seen, we_seen = normal(seen), normal(we_seen)
    if case.differs:
        return (
            ""
            if (seen is None) is not (we_seen is None)
            else f"no longer differs: {seen} {we_seen} {we_said}"
        )
    if said.endswith("error: EOF") and we_seen is not None and not we_seen.keys() & {"authorization"}:
        # Where there are no credentials kubectl asks for a password at the terminal; we ask as nobody.
        return ""
    if seen != we_seen:
        return f"kubectl: {seen or said}\n  ours: {we_seen or we_said}"
    if namespace and namespace != we_namespace:
        return f"namespace {namespace} and {we_namespace}"
    return ""


def main() -> int:
    """Run the cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kubectl", type=Path, action="append")
    parser.add_argument("--generated", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    programs = options.kubectl or installed()[-1:]
    if not programs:
        print("skipped: no kubectl.1.NN on this machine")
        return 0
    passed = failed = 0
    with world() as there:
        cases = [*all_cases(there), *generated(there, options.generated, options.seed)]
        for program in programs:
            for case in cases:
                if options.only not in case.name:
                    continue
                why = compare(program, case, there)
                passed, failed = passed + (not why), failed + bool(why)
                if why:
                    print(f"FAILS: {program.name}: {case.name}: {why}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
