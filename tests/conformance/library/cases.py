"""The cases of a library's suites: template, constraint, object, inventory, assertions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.kube.object import Object
from sekisho.policy.suite import Assertion
from sekisho.policy.verify import Files


@dataclass(frozen=True)
class Case:
    """A case of a suite, its files read. ``folder`` is that of the suite."""

    folder: Path
    kind: str
    name: str
    template: Object
    constraint: Object
    object: Object
    inventory: tuple[Object, ...]
    assertions: tuple[Assertion, ...]


@dataclass(frozen=True)
class Difference:
    """Where two templates differ: ``why`` is a word for how, by which it may be expected."""

    kind: str
    name: str
    why: str
    text: str


def find_cases(folder: Path) -> list[Case]:
    """Every case of every suite below a folder, but those of tests that want a constraint refused."""
    files = DiskFiles()
    return [case for suite in find_suites((f"{folder}/...",)) for case in _cases(suite, files)]


def _cases(suite: object, files: Files) -> Iterator[Case]:
    folder = Path(suite.file).parent  # type: ignore[attr-defined]

    def read(path: str) -> Object:
        document = files.documents(str(folder / path), lists=False)[0]
        return Object(document.value, document)

    for test in suite.tests:  # type: ignore[attr-defined]
        if test.invalid or test.skip:
            continue
        template, constraint = read(test.template), read(test.constraint)
        for case in test.cases:
            yield Case(
                folder=folder,
                kind=constraint.kind,
                name=f"{test.name}//{case.name}",
                template=template,
                constraint=constraint,
                object=read(case.object),
                inventory=tuple(read(path) for path in case.inventory),
                assertions=case.assertions,
            )
