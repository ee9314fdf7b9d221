"""Loading ahead of time what the first review would wait for: programs, and the libraries that they use."""

from __future__ import annotations

from typing import Any, Final

from sekisho.diag import Deadline, DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy.document import review_document
from sekisho.policy.engine import Engine
from sekisho.rego import Options

SECONDS: Final = 1.0
"""How long one policy may take over an object that says next to nothing."""

BARE: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "bare", "namespace": "default", "labels": {}, "annotations": {}},
    "spec": {"containers": [{"name": "bare", "image": "bare"}]},
}


def warm(engine: Engine, *, positions: bool = True) -> None:
    """Evaluate each template once, whatever it says; those that ask others are left alone.

    With ``positions`` what finds the fields of violations is loaded too.
    """
    request = Request.of(Object(BARE))
    document = review_document(request)
    for constraint in {row.template.kind: row for row in engine.constraints}.values():
        template, deadline = constraint.template, Deadline.after(SECONDS)
        if template.asks:
            continue
        try:
            if template.native is not None:
                template.native.violations(request, constraint.raw, deadline)
            else:
                input = {"review": document, "parameters": constraint.parameters}
                template.entry(input, engine.data, deadline=deadline, options=Options())
                if positions:
                    template.explain(input, engine.data, Options(), deadline)
        except DiagnosticError:
            pass  # its reviews will say so
