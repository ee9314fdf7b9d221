"""Volumes of a Pod: one source each, and the rules of the common sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.apiserver.causes import duplicate, forbidden, invalid, required
from sekisho.apiserver.validation.containers import field_reference, inner_path
from sekisho.apiserver.validation.fields import (
    NO_NAME,
    Causes,
    Raw,
    amount,
    get,
    label,
    numbered,
    one_of,
    rows,
    subdomain,
)

HOST_PATHS: Final = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
MODE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
MAX_MODE: Final = 0o777

SOURCES: Final = (
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "azureFile",
    "configMap",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "storageos",
    "projected",
    "portworxVolume",
    "scaleIO",
    "photonPersistentDisk",
    "flexVolume",
    "csi",
    "ephemeral",
    "image",
)
"""In the order in which the server looks at them: the second one is too many."""


def volumes(spec: Raw, at: str) -> Causes:
    """The volumes of a Pod."""
    names: set[str] = set()
    for here, row in numbered(spec, "volumes", at=at):
        yield from source(row, here)
        name = row.get("name") or ""
        problems = [*label(f"{here}.name", name, needed=True)]
        yield from problems
        if not problems and name in names:
            yield duplicate(f"{here}.name", name)
        names.add(name)


def source(row: Raw, at: str, *, where: str = "") -> Causes:
    """The one source of a volume."""
    given = [name for name in SOURCES if row.get(name) is not None]
    for index, name in enumerate(given):
        if index:
            yield forbidden(f"{at}.{name}", "may not specify more than 1 volume type")
        elif name in _RULES:
            yield from _RULES[name](row[name], f"{at}.{name}")
    if not given:
        yield required(where or at, "must specify a volume type")


def _empty_dir(value: Any, at: str) -> Causes:
    size = get(value, "sizeLimit")
    if size is not None and (amount(size) or 0) < 0:
        yield forbidden(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def host_path(value: Any, at: str) -> Causes:
    """A path of the node."""
    path = get(value, "path") or ""
    if not path:
        yield required(f"{at}.path")
        return
    if ".." in path.split("/"):
        yield invalid(f"{at}.path", path, "must not contain '..'")
    yield from one_of(f"{at}.type", get(value, "type"), HOST_PATHS)


def _config_map(value: Any, at: str) -> Causes:
    if not get(value, "name"):
        yield required(f"{at}.name")
    yield from _files(value, at)


def _secret(value: Any, at: str) -> Causes:
    if not get(value, "secretName"):
        yield required(f"{at}.secretName")
    yield from _files(value, at)


def _files(value: Any, at: str) -> Causes:
    yield from _mode(get(value, "defaultMode"), f"{at}.defaultMode")
    for here, row in numbered(value, "items", at=f"{at}.items"):
        if not row.get("key"):
            yield required(f"{here}.key")
        yield from _file(row, here)


def _file(row: Raw, at: str) -> Causes:
    path = row.get("path") or ""
    if not path:
        yield required(f"{at}.path")
    else:
        yield from inner_path(f"{at}.path", path)
        if path.startswith("..") and ".." not in path.split("/"):
            yield invalid(f"{at}.path", path, "must not start with '..'")
    yield from _mode(row.get("mode"), f"{at}.mode")


def _mode(value: Any, at: str) -> Causes:
    if isinstance(value, int) and not 0 <= value <= MAX_MODE:
        yield invalid(at, value, MODE)


def _claim(value: Any, at: str) -> Causes:
    if not get(value, "claimName"):
        yield required(f"{at}.claimName")


def _downward(value: Any, at: str) -> Causes:
    yield from _mode(get(value, "defaultMode"), f"{at}.defaultMode")
    for here, row in numbered(value, "items", at=f"{at}.items"):
        yield from _file(row, here)
        if row.get("fieldRef") is not None:
            yield from field_reference(row["fieldRef"], f"{here}.fieldRef")
        elif row.get("resourceFieldRef") is None:
            yield required(here, "one of fieldRef and resourceFieldRef is required")


_PROJECTED: Final[Mapping[str, Callable[[Any, str], Causes]]] = {
    "secret": _config_map,
    "configMap": _config_map,
    "downwardAPI": _downward,
}


SHORTEST_TOKEN: Final = 600
LONGEST_TOKEN: Final = 2**32
"""Seconds that the token of a projected volume may live."""


def _projected(value: Any, at: str) -> Causes:
    paths: set[Any] = set()
    yield from _mode(get(value, "defaultMode"), f"{at}.defaultMode")
    for here, row in numbered(value, "sources", at=f"{at}.sources"):
        for name, check in _PROJECTED.items():
            if row.get(name) is not None:
                yield from check(row[name], f"{here}.{name}")
        token = row.get("serviceAccountToken")
        if token is not None:
            yield from _token(token, at, f"{here}.serviceAccountToken")
        for name in ("secret", "configMap", "downwardAPI"):
            for file in rows(row, name, "items"):
                path = file.get("path")
                if path and path in paths:
                    named = get(row, name, "name") if name != "downwardAPI" else path
                    yield invalid(at, named or "", "conflicting duplicate paths")
                paths.add(path)


def _token(value: Raw, at: str, here: str) -> Causes:
    seconds = value.get("expirationSeconds") or 0
    if seconds < SHORTEST_TOKEN:
        yield invalid(f"{here}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > LONGEST_TOKEN:
        yield invalid(
            f"{here}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
        )
    if not value.get("path"):
        yield required(f"{at}.path")


def nfs(value: Any, at: str) -> Causes:
    """A share of a file server."""
    path = get(value, "path") or ""
    if not get(value, "server"):
        yield required(f"{at}.server")
    if not path:
        yield required(f"{at}.path")
    if not path.startswith("/"):
        yield invalid(f"{at}.path", path, "must be an absolute path")


def _csi(value: Any, at: str) -> Causes:
    driver = get(value, "driver") or ""
    if not driver:
        yield required(f"{at}.driver")
        yield from (invalid(f"{at}.driver", "", text) for text in NO_NAME)
    else:
        yield from subdomain(f"{at}.driver", driver.lower())


_RULES: Final[Mapping[str, Callable[[Any, str], Causes]]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "downwardAPI": _downward,
    "projected": _projected,
    "nfs": nfs,
    "csi": _csi,
}
