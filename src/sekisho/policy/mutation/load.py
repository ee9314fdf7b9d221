"""From an object to a mutator: a row for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.object import Object
from sekisho.policy import codes, shapes
from sekisho.policy.mutation import assign, assignimage, assignmetadata, modifyset
from sekisho.policy.mutation.mutator import Mutator, Reader

LOADERS: Final[Mapping[str, Callable[[Reader], Mutator]]] = {
    "Assign": assign.load,
    "AssignImage": assignimage.load,
    "AssignMetadata": assignmetadata.load,
    "ModifySet": modifyset.load,
}


def load_mutator(object: Object) -> Mutator:
    """The mutator in an object; raises DiagnosticError with everything that is wrong with it."""
    versions = shapes.mutator_versions()[object.kind]
    if object.gvk.version not in versions:
        message = (
            f'unsupported version "{object.gvk.version}" for {object.kind} "{object.name}"; '
            f"supported versions: {' '.join(versions)}"
        )
        at = object.at("apiVersion")
        raise DiagnosticError(Diagnostic(code=codes.BAD_MUTATOR, message=message, at=at))
    return LOADERS[object.kind](Reader(object))
