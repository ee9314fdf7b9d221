"""Rego sources and data from files, as opa loads them.

A path is a file or a directory, and may have a prefix: ``a.b:data.json`` puts the document at ``data.a.b``.
In directories the names of the folders below the path are the steps to a document (``x/y/data.json`` lies at
``data.x.y``, whatever the file is called), and a module's place is its package.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sekisho import manifest
from sekisho.cli.rego import codes as regocodes
from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, Source, Span
from sekisho.lang.golang import gofloat
from sekisho.manifest.codes import NOT_FOUND, TOO_DEEP, UNREADABLE
from sekisho.manifest.limits import DEPTH
from sekisho.rego import Capabilities, Dialect, parse_module
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.jsontext import unmarshal
from sekisho.rego.nodes import Module
from sekisho.rego.values import UNDEFINED, Number, Value

REGO: Final = ".rego"
YAML: Final = (".yaml", ".yml")
BUNDLED: Final = ("data.json", "data.yaml", "data.yml")


@dataclass(slots=True, kw_only=True)
class Files:
    """What was loaded: modules by file name, the data, and what is wrong with the rest."""

    modules: dict[str, Module] = field(default_factory=dict)
    data: dict[str, Value] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def raise_errors(self) -> None:
        """DiagnosticError if anything could not be loaded."""
        errors = [problem for problem in self.problems if problem.level is Level.ERROR]
        if errors:
            raise DiagnosticError(errors)

    def exists(self, path: tuple[str, ...]) -> bool:
        """Whether the data have a value at a path, or one that is no object on the way to it."""
        value: Value = self.data
        for step in path:
            if not isinstance(value, dict):
                return True
            value = value.get(step, UNDEFINED)
            if value is UNDEFINED:
                return False
        return True


def load_files(
    paths: Sequence[str],
    *,
    dialect: Dialect,
    ignore: Sequence[str] = (),
    only_rego: bool = False,
    bundles: Sequence[str] = (),
) -> Files:
    """Load everything at these paths. One file's error hides no other's.

    ``ignore`` are patterns of names below the paths. ``only_rego`` leaves files with other suffixes out.
    ``bundles`` are directories whose data are only in files called ``data.json`` or ``data.yaml``.
    """
    loader = _Loader(dialect, [name for names in ignore for name in names.split(",")])
    for path in paths:
        prefix, place = split_prefix(path)
        loader.load(clean_path(place), prefix, _is_rego if only_rego else _is_source)
    for path in bundles:
        loader.bundle(clean_path(path))
    return loader.files


def _is_rego(path: str) -> bool:
    return path.endswith(REGO)


def _is_source(path: str) -> bool:
    return path.endswith((REGO, ".json", *YAML))


def _is_bundled(path: str) -> bool:
    return path.endswith(REGO) or Path(path).name in BUNDLED


def split_prefix(path: str) -> tuple[tuple[str, ...], str]:
    """The steps before a path (``a.b:file``), and the path; a ``file://`` URL has none of its own."""
    head, colon, tail = path.partition(":")
    if not colon or not head or tail.startswith("//"):
        return (), path
    return tuple(head.split(".")), tail


def clean_path(path: str) -> str:
    """A path without ``file://``."""
    if not path.startswith("file://"):
        return path
    return unquote(urlsplit(path).path)


class _Loader:
    def __init__(self, dialect: Dialect, ignore: list[str]) -> None:
        self._dialect = dialect
        self._ignore = [pattern.replace("[^", "[!") for pattern in ignore]
        self._documents: list[tuple[str, dict[str, Value]]] = []
        self.files = Files()

    def load(self, path: str, prefix: tuple[str, ...], wanted: Callable[[str], bool]) -> None:
        """Load a file, or what is wanted of a directory. A file that is named itself may have any suffix."""
        if Path(path).is_dir():
            for file, steps in self._walk(path, prefix, frozenset(), wanted):
                self._catch(file, steps)
        elif wanted is not _is_rego or _is_rego(path) or not Path(path).exists():
            self._catch(path, prefix)

    def bundle(self, path: str) -> None:
        """Load a directory as a bundle."""
        if Path(path).is_dir():
            self.load(path, (), _is_bundled)
        elif Path(path).exists():
            message = f"{path} is no directory, and archives of bundles are not read"
            self.files.problems.append(Diagnostic(code=regocodes.BUNDLE, message=message))
        else:
            self._catch(path, ())

    def _walk(
        self,
        folder: str,
        prefix: tuple[str, ...],
        above: frozenset[tuple[int, int]],
        wanted: Callable[[str], bool],
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Files below a folder in the order of names, with the steps to each; no folder inside itself."""
        try:
            found = Path(folder).stat()
            names = sorted(entry.name for entry in Path(folder).iterdir())
        except OSError as error:
            self.files.problems.append(_unreadable(folder, error))
            return
        identity = (found.st_dev, found.st_ino)
        if identity in above:
            return
        if DEPTH.exceeded_by(len(above)):
            self.files.problems.append(Diagnostic(code=TOO_DEEP, message=f"{folder}: {DEPTH}"))
            return
        for name in names:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self._ignore):
                continue
            path = os.path.normpath(f"{folder}/{name}")
            if Path(path).is_dir():
                yield from self._walk(path, (*prefix, name), above | {identity}, wanted)
            elif wanted(path):
                yield path, prefix

    def _catch(self, path: str, prefix: tuple[str, ...]) -> None:
        try:
            self._file(path, prefix)
        except DiagnosticError as error:
            self.files.problems += error.diagnostics

    def _file(self, path: str, prefix: tuple[str, ...]) -> None:
        source = manifest.read_source(path)
        if path.endswith(REGO):
            self.files.modules[path.strip("/")] = parse_module(source, dialect=self._dialect)
        elif path.endswith(".json"):
            self._merge(source, prefix, read_json(source))
        elif path.endswith(YAML):
            self._merge(source, prefix, self._yaml(source))
        else:
            self._any(source, prefix)

    def _any(self, source: Source, prefix: tuple[str, ...]) -> None:
        """A file that is named by itself and whose suffix says nothing: Rego, JSON or YAML."""
        try:
            self.files.modules[source.name] = parse_module(source, dialect=self._dialect)
        except DiagnosticError:
            try:
                value = read_value(source, self.files.problems)
            except DiagnosticError:
                message = f"{source.name} is neither Rego nor JSON nor YAML"
                raise problem(regocodes.UNKNOWN_TYPE, message, source) from None
            self._merge(source, prefix, value)

    def _yaml(self, source: Source) -> Value:
        return read_yaml(source, self.files.problems)

    def _merge(self, source: Source, prefix: tuple[str, ...], value: Value) -> None:
        if DEPTH.exceeded_by(len(prefix)):
            raise problem(TOO_DEEP, str(DEPTH), source)
        for step in reversed(prefix):
            value = {step: value}
        if not isinstance(value, dict):
            message = f"{source.name} holds no object, and only objects can be data"
            raise problem(regocodes.NOT_AN_OBJECT, message, source)
        found = conflict(self.files.data, value)
        if found is not None:
            first = next(name for name, other in self._documents if _has(other, found))
            message = f"merge error: data.{'.'.join(found)} has a value already, from {first}"
            raise problem(regocodes.MERGE, message, source)
        self.files.data = merged(self.files.data, value)
        self._documents.append((source.name, value))


def conflict(old: dict[str, Value], new: dict[str, Value]) -> tuple[str, ...] | None:
    """The first path at which two documents have values that are not both objects."""
    for name, value in new.items():
        if name not in old:
            continue
        other = old[name]
        if not isinstance(other, dict) or not isinstance(value, dict):
            return (name,)
        found = conflict(other, value)
        if found is not None:
            return (name, *found)
    return None


def merged(old: dict[str, Value], new: dict[str, Value]) -> dict[str, Value]:
    """Two documents without conflict as one; neither is changed."""
    out = {**old, **new}
    for name in old.keys() & new.keys():
        out[name] = merged(old[name], new[name])
    return out


def _has(value: Value, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


# --- values -----------------------------------------------------------------------------------------------


def read_value(source: Source, problems: list[Diagnostic]) -> Value:
    """The value of a text that is JSON or YAML. DiagnosticError (SRC0xx) if it is neither."""
    try:
        return unmarshal(source.text)
    except BuiltinFault:
        return read_yaml(source, problems)


def read_json(source: Source) -> Value:
    """The value of a JSON text, its numbers as written. DiagnosticError (SRC001, SRC005, CLI104)."""
    try:
        return unmarshal(source.text)
    except BuiltinFault as fault:
        read = manifest.parse(source, lists=False)
        errors = [found for found in read.problems if found.level is Level.ERROR]
        if errors:
            raise DiagnosticError(errors) from None
        raise problem(regocodes.NOT_JSON, f"{source.name} is not JSON: {fault}", source) from None


def read_yaml(source: Source, problems: list[Diagnostic]) -> Value:
    """The value of the first document of a YAML text; null if there is none. DiagnosticError (SRC0xx)."""
    read = manifest.parse(source, lists=False)
    errors = [found for found in read.problems if found.level is Level.ERROR]
    if errors:
        raise DiagnosticError(errors)
    if len(read.documents) > 1:
        message = f"{source.name} has {len(read.documents)} documents; only the first is read"
        at = read.documents[1].locate(())
        problems.append(
            Diagnostic(code=regocodes.MORE_DOCUMENTS, message=message, at=at, level=Level.WARNING)
        )
    return exact(read.documents[0].value) if read.documents else None


def exact(value: Any) -> Value:
    """A YAML value with its floats as Rego has numbers: as Go writes them in JSON."""
    kind = type(value)
    if kind is float:
        return float_number(value)
    if kind is dict:
        return {name: exact(item) for name, item in value.items()}
    if kind is list:
        return [exact(item) for item in value]
    return value


def float_number(value: float) -> int | Number:
    """A float as the number that Go's JSON encoder writes."""
    text = gofloat.json(value)
    return int(text) if text.lstrip("-").isdecimal() and text != "-0" else Number(text)


# --- capabilities -----------------------------------------------------------------------------------------


def read_capabilities(path: str | None) -> Capabilities:
    """The set that a capabilities file of OPA's describes. DiagnosticError (CLI106, SRC0xx) if it is none."""
    if path is None:
        return Capabilities()
    source = manifest.read_source(path)
    value = read_json(source)
    rows = value.get("builtins") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
    ):
        message = f'{path} must be an object with a list "builtins" of objects with names'
        raise problem(regocodes.CAPABILITIES, message, source)
    hosts = value.get("allow_net")
    if hosts is not None and not (isinstance(hosts, list) and all(isinstance(host, str) for host in hosts)):
        raise problem(regocodes.CAPABILITIES, f'"allow_net" of {path} must be a list of hosts', source)
    return Capabilities(
        builtins=frozenset(row["name"] for row in rows),
        allow_net=None if hosts is None else frozenset(hosts),
    )


def problem(code: Code, message: str, source: Source) -> DiagnosticError:
    """The error of a whole file."""
    return DiagnosticError(Diagnostic(code=code, message=message, at=Span(source, 0, 0)))


def _unreadable(path: str, error: OSError) -> Diagnostic:
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else UNREADABLE
    return Diagnostic(code=code, message=f"{path} cannot be read: {error.strerror or error}")
