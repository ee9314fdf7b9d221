"""``sekisho.yaml``: the one project file.

It is looked for in the working directory and its parents, up to the root of the Git repository. Flags win
over it. Paths in it are relative to it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, ObjectRef, register
from sekisho.diag import Path as ValuePath

BAD_SETTINGS: Final = register("CLI001", "sekisho.yaml is wrong")

FILE: Final = "sekisho.yaml"
KEYS: Final = (
    "attestors",
    "baseline",
    "bundles",
    "clientCertificate",
    "clientKey",
    "cluster",
    "evidence",
    "externalData",
    "imagePolicy",
    "kubernetesVersion",
    "ownerKey",
    "policies",
    "systemPolicy",
    "waivers",
)
PATHS: Final = ("policies", "waivers")
LISTS: Final = {
    "attestors": "paths",
    "bundles": "names of bundles",
    "evidence": "paths",
    "externalData": "paths",
    "policies": "paths",
    "waivers": "paths",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the project file says.

    ``policies`` are paths of policies that every check applies, and of waivers; ``bundles`` those of the
    library that it applies. ``external_data`` are files with answers of external data providers, and the
    client's certificate and key (PEM) are for providers that want one. ``owner_key`` is the label that names
    an owner; empty for the default. ``image_policy`` authorizes images, with ``attestors``, ``evidence``, the
    exported ``system_policy`` and the ``cluster`` (``location.name``) that specific rules are about.
    """

    file: Path | None = None
    policies: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    external_data: tuple[str, ...] = ()
    client_certificate: str = ""
    client_key: str = ""
    baseline: str = ""
    kubernetes_version: str = ""
    owner_key: str = ""
    image_policy: str = ""
    attestors: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    system_policy: str = ""
    cluster: str = ""


def find_settings(start: Path) -> Settings:
    """The settings in force in a directory; empty ones where there is no file."""
    for folder in (start, *start.parents):
        file = folder / FILE
        if file.is_file():
            return read_settings(Path(os.path.relpath(file)))
        if (folder / ".git").exists():
            break
    return Settings()


def read_settings(file: Path) -> Settings:
    """The settings of one file; raises DiagnosticError (CLI001, SRC…) where it is wrong."""
    from sekisho import manifest

    documents = manifest.load(manifest.read_source(str(file)))
    if not documents:
        return Settings(file=file)
    origin = documents[0]
    value = origin.value
    found = [*_problems(value, origin)]
    if len(documents) > 1:
        found.append(_problem(documents[1], (), "there is more than one document; one is read"))
    if found:
        raise DiagnosticError(found)
    base = file.parent
    return Settings(
        file=file,
        policies=tuple(str(base / path) for key in PATHS for path in value.get(key) or ()),
        bundles=tuple(value.get("bundles") or ()),
        external_data=tuple(str(base / path) for path in value.get("externalData") or ()),
        client_certificate=_path(base, value.get("clientCertificate")),
        client_key=_path(base, value.get("clientKey")),
        baseline=_path(base, value.get("baseline")),
        kubernetes_version=value.get("kubernetesVersion") or "",
        owner_key=value.get("ownerKey") or "",
        image_policy=_path(base, value.get("imagePolicy")),
        attestors=tuple(str(base / path) for path in value.get("attestors") or ()),
        evidence=tuple(str(base / path) for path in value.get("evidence") or ()),
        system_policy=_path(base, value.get("systemPolicy")),
        cluster=value.get("cluster") or "",
    )


def _path(base: Path, name: str | None) -> str:
    return str(base / name) if name else ""


def _problems(value: Any, origin: Any) -> list[Diagnostic]:
    if not isinstance(value, dict):
        return [_problem(origin, (), "it must be a mapping")]
    found: list[Diagnostic] = []
    for key, item in value.items():
        if key not in KEYS:
            message = f'unknown key "{key}"; known are {", ".join(KEYS)}'
            found.append(_problem(origin, (key,), message, key=True))
        elif key in LISTS:
            if not isinstance(item, list) or not all(isinstance(row, str) for row in item):
                found.append(_problem(origin, (key,), f"{key} must be a list of {LISTS[key]}"))
        elif not isinstance(item, str):
            found.append(_problem(origin, (key,), f'{key} must be a string (quote a version: "1.33")'))
    return found


def _problem(origin: Any, path: ValuePath, message: str, *, key: bool = False) -> Diagnostic:
    ref = ObjectRef(group_version="", kind=FILE)
    at = ObjectPath(ref=ref, path=path, origin=origin, key=key)
    return Diagnostic(code=BAD_SETTINGS, message=message, at=at)
