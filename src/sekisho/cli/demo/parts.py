"""The parts of the demo, as data."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sekisho.cli.demo import cluster, images
from sekisho.cli.demo.model import Part, Step

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


TRUSTED: Final = ("--attestor", "attestors", "--evidence", "evidence")
CART: Final = "gcr.io/shop/cart@sha256:1c42ddc0285b9c25135be3bf345e6a041271b784b22a6f6cab6588dab93c5980"
"""The image of the examples that both attestors attest."""

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
    "cluster": Part(
        title="A Kubernetes API on this machine, with policies at its door",
        folder="cluster",
        play=cluster.play,
    ),
    "pods": Part(
        title="Pods of that API, in sandboxes on this machine",
        folder="sandbox",
        why_not=cluster.no_pods,
        play=cluster.play_pods,
    ),
    "sandbox": Part(
        title="A program that nobody trusts",
        folder="sandbox",
        why_not=no_sandbox,
        steps=(
            Step(
                says="What it tries, what it wrote, what was denied; no wide rule gives metadata.",
                run=(
                    "sandbox",
                    "do",
                    "--pids",
                    "64",
                    "--allow",
                    "0.0.0.0/0:80",
                    "--diff",
                    "--report",
                    "--",
                    sys.executable,
                    "-I",
                    "untrusted.py",
                ),
            ),
            Step(
                says="What that costs: the same work inside and outside.",
                run=("sandbox", "do", "--", sys.executable, "-I", "work.py", "native.txt"),
                before=time_natively,
            ),
        ),
    ),
    "images": Part(
        title="Images: only what somebody trusted may run",
        folder="images",
        play=images.play,
        steps=(
            Step(
                says="By a Binary Authorization policy, attestors and attestations, offline.",
                run=("check", "manifests", "--image-policy", "policy.yaml", *TRUSTED),
                status=1,
            ),
            Step(
                says="What one of these images has that the others have not.",
                run=("images", "authorize", "--policy", "policy.yaml", *TRUSTED, CART),
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
