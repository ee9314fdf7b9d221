"""Every module that registers codes, so that ``explain`` and the tests see all of them."""

from __future__ import annotations

import importlib
from typing import Final

MODULES: Final = (
    "sekisho.admission.codes",
    "sekisho.apiserver.codes",
    "sekisho.audit.codes",
    "sekisho.cache.codes",
    "sekisho.cel.codes",
    "sekisho.cel.kubernetes.rules.codes",
    "sekisho.cli.auditing.served",
    "sekisho.cli.installing.apply",
    "sekisho.cli.live",
    "sekisho.cli.rego.codes",
    "sekisho.cli.settings",
    "sekisho.cluster.codes",
    "sekisho.diag.baseline",
    "sekisho.images.codes",
    "sekisho.kube.codes",
    "sekisho.kube.schema.codes",
    "sekisho.manifest.codes",
    "sekisho.oci.codes",
    "sekisho.node.codes",
    "sekisho.policy.codes",
    "sekisho.policy.controller.codes",
    "sekisho.policy.expressions.codes",
    "sekisho.policy.library.codes",
    "sekisho.policy.native.codes",
    "sekisho.policy.vap.codes",
    "sekisho.rego.codes",
    "sekisho.sandbox.codes",
    "sekisho.sandbox.doctor.codes",
    "sekisho.web.codes",
)


def load_codes() -> None:
    """Import them all."""
    for module in MODULES:
        importlib.import_module(module)
