"""``sekisho images evaluate``: platform policies, as ``gcloud ... policy evaluate`` asks them, offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from sekisho.images.evidence.store import EvidenceStore
    from sekisho.images.google.platformmodel import PlatformPolicy
    from sekisho.images.platform import ImageResult
    from sekisho.kube.object import Object

NOT_CONFORMANT: Final = 2
"""gcloud's exit status."""


@click.command(
    epilog="Example: sekisho images evaluate platform.yaml --resource manifests/ --evidence store/"
)
@click.argument("policy_file", metavar="POLICY")
@click.option(
    "--resource", "resources", multiple=True, required=True, metavar="PATH", help="Manifests; repeatable."
)
@click.option("--evidence", multiple=True, metavar="PATH", help="Occurrences and images as JSON; repeatable.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="json", help="Form of the output."
)
def command(*, policy_file: str, resources: tuple[str, ...], evidence: tuple[str, ...], output: str) -> int:
    """Evaluate a platform policy for the Pods that manifests make: every check of the set that is theirs.

    Exit status 2 if anything is not conformant or could not be evaluated, as gcloud's; else 0.
    """
    from sekisho.cli.images.authorize import tell
    from sekisho.cli.images.files import one_document, read_evidence
    from sekisho.cli.inputs import read_objects
    from sekisho.images.google.platform import read_platform_policy
    from sekisho.images.platform import Conformance, worst

    policy = read_platform_policy(one_document(policy_file))
    store, problems = read_evidence(evidence)
    inputs = read_objects(resources)
    tell([*inputs.problems, *problems])
    pods = [row for object in inputs.objects for row in _pod(object, policy, store)]
    verdict = worst(Conformance(row["verdict"]) for row in pods)
    if output == "json":
        print(json.dumps({"results": pods, "verdict": verdict.value}, indent=2))
    else:
        print("\n".join(_text(row) for row in pods))
    return 0 if verdict is Conformance.CONFORMANT else NOT_CONFORMANT


def _pod(object: Object, policy: PlatformPolicy, store: EvidenceStore) -> Iterator[dict[str, Any]]:
    """The result for what an object makes; nothing for one that makes no Pods."""
    from sekisho.images.platform import worst
    from sekisho.kube.podspec import pod_spec

    spec = pod_spec(object)
    if spec is None:
        return
    account = spec.raw.get("serviceAccountName")
    account = account if isinstance(account, str) else "default"
    namespace = object.namespace or "default"
    images = [_image(row.reference, policy, store, namespace, account) for row in spec.images()]
    yield {
        "podName": object.name,
        "kubernetesNamespace": namespace,
        "kubernetesServiceAccount": account,
        "imageResults": [row.to_json() for row in images],
        "verdict": worst(row.verdict for row in images).value,
    }


def _image(
    text: str, policy: PlatformPolicy, store: EvidenceStore, namespace: str, account: str
) -> ImageResult:
    from sekisho.diag import DiagnosticError
    from sekisho.images.platform import Conformance, ImageResult, evaluate, projects_asked
    from sekisho.oci import parse_reference

    try:
        image = parse_reference(text)
    except DiagnosticError as error:
        why = error.diagnostics[0].message
        return ImageResult(image=text, verdict=Conformance.NON_CONFORMANT, explanation=why)
    return evaluate(
        image,
        policy,
        store.facts(image, projects_asked(policy)),
        namespace=namespace,
        service_account=account,
        now=datetime.now(UTC),
    )


def _text(pod: dict[str, Any]) -> str:
    rows: Sequence[dict[str, Any]] = pod["imageResults"]
    lines = [f"{pod['kubernetesNamespace']}/{pod['podName']}: {pod['verdict']}"]
    lines += [f"  {row['imageUri']}: {row['verdict']}: {row['explanation']}".rstrip(": ") for row in rows]
    return "\n".join(lines)
