"""An embedded store of evidence: what Grafeas and Artifact Registry answered, found by image.

It stands for the servers that answer the same questions; ``add`` takes their answers as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sekisho.images.evidence.facts import Build, Facts, Scan, read_builds, read_scan
from sekisho.images.evidence.grafeas import OCCURRENCES, read_occurrence
from sekisho.images.evidence.model import Attestation, Found, Unanswered
from sekisho.images.evidence.strictjson import BadEvidenceError, read_json
from sekisho.kube.decode import parse_time

if TYPE_CHECKING:
    from sekisho.oci import Reference

Row = Mapping[str, Any]
LISTS = ("occurrences", "dockerImages")


class EvidenceStore:
    """Attestations by note and image, and facts by project and image.

    Names of resources only narrow the search: what an attestation is about stands in its signed payload.
    """

    def __init__(self) -> None:
        self._attestations: dict[tuple[str, str], list[Attestation]] = {}
        self._rows: dict[tuple[str, str], list[Row]] = {}
        self._uploaded: dict[str, datetime] = {}

    def add(self, data: bytes) -> tuple[str, ...]:
        """Take a document: ``{"occurrences": […]}``, ``{"dockerImages": […]}``, a list of either, or one.

        What is wrong with entries that cannot be read is returned. Raises BadEvidenceError when it is none.
        """
        value = read_json(data)
        rows = value
        if isinstance(value, dict):
            named = [value[key] for key in LISTS if key in value]
            rows = named[0] if named else [value]
        if not isinstance(rows, list):
            raise BadEvidenceError("it is not a list of occurrences")
        if OCCURRENCES.exceeded_by(len(rows)):
            raise BadEvidenceError(str(OCCURRENCES))
        problems: list[str] = []
        for index, row in enumerate(rows):
            try:
                self._take(row, _where(row, index))
            except BadEvidenceError as error:
                problems.append(f"{_where(row, index)}: {error}")
        return tuple(problems)

    def _take(self, row: Any, where: str) -> None:
        if not isinstance(row, dict):
            raise BadEvidenceError("it is not an object")
        if "uploadTime" in row:
            moment = parse_time(row["uploadTime"]) if isinstance(row["uploadTime"], str) else None
            if moment is None:
                raise BadEvidenceError("uploadTime is not a time")
            self._uploaded[_digest(row.get("uri") or row.get("name"))] = moment
            return
        for found in read_occurrence(row, where):
            self._attestations.setdefault((found.note, _digest(found.resource)), []).append(found.attestation)
        digest = _digest(row.get("resourceUri"))
        for project in {_project(row.get("noteName")), _project(row.get("name"))} - {""}:
            self._rows.setdefault((project, digest), []).append(row)

    def about(self, note: str, image: Reference) -> tuple[Attestation, ...]:
        """What is attached to a note about an image's digest."""
        return tuple(self._attestations.get((note, image.digest), ()))

    def scan(self, image: Reference) -> Scan | Unanswered:
        """What scans of an image found, in any project."""
        held = (row for (_, about), found in self._rows.items() if about == image.digest for row in found)
        rows = list({id(row): row for row in held}.values())  # a row may be in two projects
        try:
            return read_scan(rows)
        except BadEvidenceError as error:
            return Unanswered(reason=str(error))

    def facts(self, image: Reference, projects: Iterable[str], signatures: Found = ()) -> Facts:
        """What is known about an image in some projects, and in those that have builds or scans of it.

        ``signatures`` are those that lie beside it. A project that the store has nothing of has nothing.
        """
        digest = image.digest
        holding = {project for project, about in self._rows if about == digest}
        attestations: dict[str, Found] = {row: tuple(self._of(row, digest)) for row in projects}
        builds: dict[str, tuple[Build, ...] | Unanswered] = {}
        scans: dict[str, Scan | Unanswered] = {}
        for project in {*projects, *holding}:
            rows = self._rows.get((project, digest), [])
            builds[project] = read_builds(rows)
            try:
                scans[project] = read_scan(rows)
            except BadEvidenceError as error:
                scans[project] = Unanswered(reason=str(error))
        return Facts(
            attestations=attestations,
            signatures=signatures,
            builds=builds,
            scans=scans,
            uploaded=self._uploaded.get(digest),
        )

    def _of(self, project: str, digest: str) -> Iterator[Attestation]:
        for (note, about), rows in self._attestations.items():
            if about == digest and _project(note) == project:
                yield from rows


def _where(row: Any, index: int) -> str:
    name = row.get("name") if isinstance(row, dict) else None
    return name if isinstance(name, str) and name else f"entry {index + 1}"


def _digest(resource: Any) -> str:
    return resource.rpartition("@")[2] if isinstance(resource, str) else ""


def _project(name: Any) -> str:
    """``projects/shop`` of a name below it; the projects of checks are written so."""
    parts: Sequence[str] = name.split("/") if isinstance(name, str) else ()
    return f"projects/{parts[1]}" if len(parts) > 1 and parts[0] == "projects" else ""
