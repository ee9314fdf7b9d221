"""Policies, attestors and evidence from files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import manifest
from sekisho.diag import Diagnostic, DiagnosticError, Level, Limit
from sekisho.images import codes
from sekisho.images.attest import IdentityMatch
from sekisho.images.authorize import Trust
from sekisho.images.evidence.store import EvidenceStore
from sekisho.images.evidence.strictjson import DOCUMENT, BadEvidenceError
from sekisho.images.google.attestor import Attestor, read_attestor
from sekisho.images.google.policy import Policy, read_policy
from sekisho.images.judge import Judge as ImageJudge
from sekisho.images.kritis.decide import Sources
from sekisho.images.kritis.judge import KritisJudge
from sekisho.images.kritis.resources import read_kritis
from sekisho.kube.object import Object
from sekisho.kube.review import Step

if TYPE_CHECKING:
    from sekisho.cli.images.options import ImageFiles
    from sekisho.kube.review import Judge

FILES: Final = Limit("a folder of evidence", 100_000, "files", "larger stores are servers")


def read_trust(files: ImageFiles) -> Trust:
    """What the policy refers to. Raises DiagnosticError."""
    return Trust(
        attestors=read_attestors(files.attestors),
        system=read_policy_file(files.system).allowlist if files.system else (),
        identity=IdentityMatch(files.identity),
    )


def image_steps(
    files: ImageFiles, objects: Iterable[Object]
) -> tuple[tuple[Step[Judge], ...], list[Diagnostic]]:
    """The steps of the chain that authorize images, and what is wrong with evidence and Kritis' policies.

    Raises DiagnosticError.
    """
    store, problems = read_evidence(files.evidence)
    steps: list[Step[Judge]] = []
    if files.policy:
        judge = ImageJudge(
            policy=read_policy_file(files.policy),
            trust=read_trust(files),
            look=lambda attestor, image: store.about(attestor.note, image),
            cluster=files.cluster,
        )
        steps.append(Step(name="images", call=judge))
    kritis = read_kritis(objects)
    problems += kritis.problems
    if kritis.any:
        sources = Sources(attestations=store.about, scan=store.scan)
        steps.append(Step(name="kritis", call=KritisJudge(kritis=kritis, sources=sources)))
    return tuple(steps), problems


def read_documents(paths: Sequence[str]) -> Iterator[Object]:
    """The documents of files; raises DiagnosticError with what is wrong with the first bad file."""
    for read in manifest.read_paths(paths, stdin=sys.stdin.buffer):
        if read.problems:
            raise DiagnosticError(read.problems)
        for document in read.documents:
            if not isinstance(document.value, dict):
                message = "a policy and an attestor are mappings"
                raise DiagnosticError([_bad(message, Object({}, document))])
            yield Object(document.value, document)


def read_policy_file(path: str) -> Policy:
    """The one policy of a file. Raises DiagnosticError."""
    return read_policy(one_document(path))


def one_document(path: str) -> Object:
    """The one document of a file. Raises DiagnosticError."""
    documents = list(read_documents([path]))
    if len(documents) != 1:
        raise DiagnosticError(
            [
                Diagnostic(
                    code=codes.BAD_POLICY, message=f"{path} has {len(documents)} documents, not one policy"
                )
            ]
        )
    return documents[0]


def read_attestors(paths: Sequence[str]) -> dict[str, Attestor]:
    """The attestors of files and directories, by name. Raises DiagnosticError with all that is wrong."""
    found: dict[str, Attestor] = {}
    problems: list[Diagnostic] = []
    for object in read_documents(paths) if paths else ():
        try:
            attestor = read_attestor(object)
        except DiagnosticError as error:
            problems += error.diagnostics
            continue
        found[attestor.name] = attestor
    if problems:
        raise DiagnosticError(problems)
    return found


def read_evidence(paths: Sequence[str]) -> tuple[EvidenceStore, list[Diagnostic]]:
    """What JSON files and folders of them hold, and warnings about what cannot be read."""
    store = EvidenceStore()
    problems: list[Diagnostic] = []
    for file in _files(paths):
        try:
            bad = store.add(_content(file))
        except BadEvidenceError as error:
            bad = (str(error),)
        problems += (_unusable(f"{file}: {row}") for row in bad)
    return store, problems


def _files(paths: Iterable[str]) -> Iterator[Path]:
    count = 0
    for text in paths:
        path = Path(text)
        if not path.exists():
            raise DiagnosticError([Diagnostic(code=codes.BAD_EVIDENCE, message=f"{text} does not exist")])
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            count += 1
            if FILES.exceeded_by(count):
                raise DiagnosticError([Diagnostic(code=codes.BAD_EVIDENCE, message=str(FILES))])
            yield file


def _content(file: Path) -> bytes:
    """A file's bytes, no more than a document may have."""
    try:
        with file.open("rb") as stream:
            return stream.read(DOCUMENT.value + 1)
    except OSError as error:
        raise BadEvidenceError(error.strerror or str(error)) from None


def _unusable(message: str) -> Diagnostic:
    return Diagnostic(code=codes.BAD_EVIDENCE, message=message, level=Level.WARNING)


def _bad(message: str, object: Object) -> Diagnostic:
    return Diagnostic(code=codes.BAD_POLICY, message=message, at=object.at())
