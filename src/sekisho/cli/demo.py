"""``sekisho demo``: a guided run on real input that ends by itself.

Every step is a command that a person could type, run in a copy of the examples and shown as it is. The exit
status is 0 when every step did what it is there to show.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Final

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command: what it shows, its arguments after ``sekisho``, the status it must end with.

    ``before`` is done in the folder first.
    """

    says: str
    run: tuple[str, ...]
    status: int = 0
    before: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the demo, run in a copy of one folder of the examples.

    ``why_not`` says why this machine cannot run it; empty if it can.
    """

    title: str
    folder: str
    steps: tuple[Step, ...]
    why_not: Callable[[], str] | None = None


WAIVER: Final = """\
apiVersion: waivers.sekisho.dev/v1alpha1
kind: Waiver
metadata:
  name: legacy
spec:
  policies: ["ShopNeedsOwner/owner"]
  match:
    namespaces: [shop]
    names: [legacy]
  reason: it is moved next week
  owner: team-shop
  expires: "{expires}"
"""
SECONDS: Final = 4
"""How long the waiver of the demo lasts: a check takes less than one."""


def write_waiver(folder: Path) -> None:
    """A waiver that ends in a moment."""
    end = datetime.now(UTC) + timedelta(seconds=SECONDS)
    text = WAIVER.format(expires=end.isoformat(timespec="milliseconds"))
    (folder / "waiver.yaml").write_text(text, encoding="utf-8")


def wait_for_its_end(_: Path) -> None:
    """Until the waiver has run out."""
    time.sleep(SECONDS)


def no_sandbox() -> str:
    """Why this machine cannot run sandboxes."""
    from sekisho.sandbox.doctor import examine, gather, why_not

    return why_not(examine(gather()))


def time_natively(folder: Path) -> None:
    """Let the work be timed outside, to compare with."""
    subprocess.run([sys.executable, "work.py", "native.txt"], cwd=folder, check=True)


PARTS: Final[dict[str, Part]] = {
    "check": Part(
        title="Manifests, judged by the API's schemas and by Gatekeeper's own policies",
        folder="shop",
        steps=(
            Step(
                says="A small shop as its teams wrote it, against ten policies, with line and column.",
                run=("check", "policies", "manifests"),
                status=1,
            ),
            Step(says="The same shop, mended.", run=("check", "policies", "fixed")),
            Step(
                says="What one of those codes means.",
                run=("explain", "KUB100"),
            ),
        ),
    ),
    "library": Part(
        title="Policies that nobody has to write: the library and its bundles",
        folder="shop",
        steps=(
            Step(
                says="The shop against the Pod Security Standards, without a policy of its own.",
                run=("check", "--no-schema", "--bundle", "pod-security-baseline", "manifests"),
                status=1,
            ),
            Step(
                says="The same shop, mended.",
                run=("check", "--no-schema", "--bundle", "pod-security-baseline", "fixed"),
            ),
            Step(says="One of the policies.", run=("policy", "library", "show", "K8sPSPHostFilesystem")),
        ),
    ),
    "policy": Part(
        title="The same policies through gator's verb",
        folder="shop",
        steps=(
            Step(
                says="What gator test prints, word for word, with its exit status.",
                run=("policy", "test", "-f", "policies", "-f", "manifests"),
                status=1,
            ),
        ),
    ),
    "mutation": Part(
        title="Policies for Pods, which nobody writes: mutation and expansion",
        folder="mutation",
        steps=(
            Step(
                says="A mutator mends the image; the privileged container is found in the Deployment itself.",
                run=("check", "."),
                status=1,
            ),
            Step(
                says="The Pod that the Deployment will bring about, as gator expand shows it.",
                run=("policy", "expand", "-n", "."),
            ),
        ),
    ),
    "waiver": Part(
        title="Exceptions that end, and a way out of dry run",
        folder="enforcement",
        steps=(
            Step(
                says=f"An old object is accepted, with a reason, an owner, and an end in {SECONDS} seconds.",
                run=("check", "."),
                before=write_waiver,
            ),
            Step(
                says="The waiver has run out; nobody had to remember it.",
                run=("check", "."),
                status=1,
                before=wait_for_its_end,
            ),
            Step(
                says="What enforcing everything would refuse, and the fewest steps to nothing refused.",
                run=("policy", "preview", "."),
                status=1,
            ),
        ),
    ),
    "externaldata": Part(
        title="Policies that ask somebody else",
        folder="externaldata",
        steps=(
            Step(
                says="Nobody may be asked yet: that is neither a yes nor a no.",
                run=("check", "policy.yaml", "provider.yaml", "deployment.yaml"),
                status=3,
            ),
            Step(
                says="The same with the provider's answers from a file.",
                run=(
                    "check",
                    "policy.yaml",
                    "provider.yaml",
                    "deployment.yaml",
                    "--external-data",
                    "answers/images.yaml",
                ),
                status=1,
            ),
        ),
    ),
    "admission": Part(
        title="Kubernetes' own policies, in CEL, on files",
        folder="admission",
        steps=(
            Step(
                says="A ValidatingAdmissionPolicy at work, with the field at fault; its own mistake too.",
                run=("check", "."),
                status=1,
            ),
            Step(
                says="A template of Gatekeeper's and its constraint, as policy and binding.",
                run=("policy", "vap", "template.yaml"),
            ),
        ),
    ),
    "sandbox": Part(
        title="A program that nobody trusts",
        folder="sandbox",
        why_not=no_sandbox,
        steps=(
            Step(
                says="What it tries, how each attempt ends, and what it wrote: all of it is forgotten.",
                run=("sandbox", "do", "--pids", "64", "--diff", "--", sys.executable, "-I", "untrusted.py"),
            ),
            Step(
                says="What that costs: the same work inside and outside.",
                run=("sandbox", "do", "--", sys.executable, "-I", "work.py", "native.txt"),
                before=time_natively,
            ),
        ),
    ),
    "rego": Part(
        title="Rego, compiled to Python",
        folder="rego",
        steps=(
            Step(
                says="A query over data and input.",
                run=(
                    "rego",
                    "eval",
                    "-d",
                    "rbac.rego",
                    "-i",
                    "input.json",
                    "-f",
                    "pretty",
                    "data.rbac.allow",
                ),
            ),
            Step(says="Its tests.", run=("rego", "test", "-v", "rbac.rego", "rbac_test.rego")),
            Step(
                says="A mistake, with its place and its cure.",
                run=("rego", "check", "broken/unsafe.rego"),
                status=1,
            ),
        ),
    ),
}


@click.command(epilog="Example: sekisho demo check")
@click.argument("part", required=False, type=click.Choice(list(PARTS)))
def command(part: str | None) -> int:
    """A guided run on real input: all parts, or one of them."""
    failed = 0
    for name in [part] if part else PARTS:
        failed += _run(PARTS[name])
    if failed:
        click.echo(f"{failed} steps did not do what they are there to show", err=True)
    return int(failed > 0)


def _run(part: Part) -> int:
    click.echo(f"\n=== {part.title} ===")
    if part.why_not is not None and (reason := part.why_not()):
        click.echo(f"Left out on this machine: {reason}")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sekisho-demo-") as folder:
        examples = resources.files("sekisho").joinpath("examples", part.folder)
        with resources.as_file(examples) as source:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        (Path(folder) / ".git").mkdir()  # settings of the place where the demo is started do not count
        for step in part.steps:
            if step.before is not None:
                step.before(Path(folder))
            click.echo(f"\n{step.says}\n$ sekisho {' '.join(step.run)}")
            sys.stdout.flush()
            done = subprocess.run([sys.executable, "-m", "sekisho", *step.run], cwd=folder, check=False)  # noqa: S603
            click.echo(f"(exit status {done.returncode})")
            failed += done.returncode != step.status
    return failed
