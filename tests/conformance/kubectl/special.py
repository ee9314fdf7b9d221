"""Rows of custom resources, certificates, roles from files."""

from __future__ import annotations

import base64
import subprocess

from tests.conformance.kubectl.driver import Kubectl
from tests.conformance.kubectl.rows import row

CUSTOM, OTHER = "custom resources", "other"

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Size, type: string, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the widget is to be.
            properties:
              size: {type: string, enum: [small, large], default: small}
              replicas: {type: integer, minimum: 0}
          status: {type: object, properties: {replicas: {type: integer}}}
"""
WIDGET = """\
apiVersion: GROUP/v1
kind: Widget
metadata: {name: one}
spec: {replicas: 1}
"""


@row(CUSTOM, "create a CustomResourceDefinition and use it")
def custom(k: Kubectl) -> None:
    group = f"{k.namespace}.example.com"
    definition, widget = DEFINITION.replace("GROUP", group), WIDGET.replace("GROUP", group)
    k.ok("apply -f -", "created", stdin=definition)
    k.ok(f"wait --for=condition=Established crd/widgets.{group} --timeout=20s", "condition met")
    k.ok("apply -f -", f"widget.{group}/one created", stdin=widget)
    k.ok(f"get widgets.{group}", r"^NAME +SIZE", r"^one +small$")
    k.ok("apply -f -", "configured", stdin=widget.replace("replicas: 1", "replicas: 2, size: large"))
    k.ok("apply -f -", "unchanged", stdin=widget.replace("replicas: 1", "replicas: 2, size: large"))
    k.fails("apply -f -", 'Unsupported value: "huge"', stdin=widget.replace("replicas: 1", "size: huge"))
    k.fails("apply -f -", 'unknown field "spec.colour"', stdin=widget.replace("replicas: 1", "colour: red"))
    k.ok(f"explain widgets.spec --api-version={group}/v1", "What the widget is to be", "size")
    k.ok(f"scale widgets.{group}/one --replicas=5", "scaled")
    assert k.value(f"get widgets.{group} one", ".spec.replicas") == "5"
    k.fails(
        f"patch widgets.{group} one -p '{{}}'", "strategic merge patch is not supported|application/strategic"
    )
    k.ok(f'patch widgets.{group} one --type=merge -p \'{{"spec":{{"size":"small"}}}}\'', "patched")
    k.ok(
        f'patch widgets.{group} one --subresource=status --type=merge -p \'{{"status":{{"replicas":3}}}}\'',
        "patched",
    )
    k.ok("apply --server-side --force-conflicts -f -", "serverside-applied", stdin=widget)
    k.fails("diff -f -", "large", stdin=widget.replace("replicas: 1", "size: large"), code=1)
    k.ok("delete -f -", "deleted", stdin=definition)
    k.fails(f"get widgets.{group}", "doesn't have a resource type|could not find the requested resource")


@row(OTHER, "certificate approve, deny")
def certificates(k: Kubectl) -> None:
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=ann",
            "-keyout",
            "/dev/null",
        ],
        capture_output=True,
        check=True,
    )
    for name, verb, word in (
        (f"{k.namespace}-a", "approve", "approved"),
        (f"{k.namespace}-b", "deny", "denied"),
    ):
        k.ok(
            "create -f -",
            stdin=f"""\
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {{name: {name}}}
spec: {{signerName: example.com/s, usages: [client auth], request: {base64.b64encode(made.stdout).decode()}}}
""",
        )
        k.ok(f"get csr {name}", "Pending")
        k.ok(f"certificate {verb} {name}", word)
        k.ok(f"get csr {name}", "Approved" if verb == "approve" else "Denied")
        k.ok(f"delete csr {name}")


@row(OTHER, "auth reconcile")
def reconcile(k: Kubectl) -> None:
    role = f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: r, namespace: {k.namespace}}}
rules: [{{apiGroups: [""], resources: [pods], verbs: [get]}}]
"""
    k.ok("auth reconcile -f -", "reconciled", stdin=role)
    k.ok("auth reconcile -f -", "reconciled", stdin=role.replace("get]", "get, list]"))
    assert k.value("get role r", ".rules[*].verbs") in (
        '["get","list"]',
        '["get"] ["list"]',
        '["list"] ["get"]',
    )


@row(OTHER, "--as, --as-group")
def impersonate(k: Kubectl) -> None:
    k.fails("get secrets --as=nobody-at-all", 'User "nobody-at-all" cannot list resource "secrets"')
    k.ok("get secrets --as=somebody --as-group=system:masters")
