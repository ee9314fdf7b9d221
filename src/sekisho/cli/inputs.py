"""From paths to objects: what every command that takes manifests does first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sekisho import manifest
from sekisho.cli.settings import FILE
from sekisho.diag import Diagnostic
from sekisho.kube.object import Object, shape_problems


@dataclass(slots=True, kw_only=True)
class Inputs:
    """Objects in the order of their files, and what was wrong with those that are not among them."""

    objects: list[Object] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    files: int = 0


def read_objects(
    paths: Sequence[str], *, without: Sequence[str] = (), beside: Iterable[manifest.Read] = ()
) -> Inputs:
    """Read files, directories and ``-``; nothing that is wrong with one file hides another one.

    ``without`` are files that are something else, and are left out of directories; ``beside`` is what was
    read elsewhere.
    """
    inputs = Inputs()
    others = frozenset(map(os.path.realpath, without))
    for read in chain(manifest.read_paths(paths, stdin=sys.stdin.buffer), beside):
        if others and os.path.realpath(read.source.name) in others:
            continue
        inputs.problems += read.problems
        if read.source.name.rpartition("/")[2] == FILE:
            continue  # the project file is no manifest
        inputs.files += 1
        for document in read.documents:
            problems = shape_problems(document.value, document)
            inputs.problems += problems
            if not problems:
                inputs.objects.append(Object(document.value, document))
    return inputs


def by_identity(objects: Iterable[Object]) -> dict[tuple[str, str, str, str], Object]:
    """The objects by group, kind, namespace and name; the last one of each stands."""
    return {(row.gvk.group, row.kind, row.namespace, row.name): row for row in objects}
