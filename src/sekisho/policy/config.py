"""Config and SyncSet: which namespaces are left out of what, and which kinds are synced (policy.md 1.1, 1.6).

A Config is a singleton named ``config``. Its ``match`` takes namespaces away from processes: the webhook, the
mutating webhook, the audit, and the inventory. What templates read is known from their code, so objects that
are at hand are in the inventory whether anything syncs them or not; where nothing does, Gatekeeper would not
have them, and that is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sekisho.diag import Diagnostic, Level, Path, Span
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.schema import validate
from sekisho.kube.selectors import any_wildcard
from sekisho.policy import codes, shapes
from sekisho.policy.template import Template

SYNC_SET: Final = ("syncset.gatekeeper.sh", "SyncSet")
CONFIG: Final = ("config.gatekeeper.sh", "Config")
VERSION: Final = "v1alpha1"
NAME: Final = "config"

AUDIT: Final = "audit"
WEBHOOK: Final = "webhook"
MUTATION: Final = "mutation-webhook"
SYNC: Final = "sync"
PROCESSES: Final = (AUDIT, WEBHOOK, MUTATION, SYNC)

KINDS: Final[Mapping[tuple[str, str], Path]] = {
    CONFIG: ("spec", "sync", "syncOnly"),
    SYNC_SET: ("spec", "gvks"),
}
"""Where each resource names the kinds that are to be synced."""


def is_config(object: Object) -> bool:
    """Whether an object is a Config or a SyncSet."""
    return _key(object) in KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the Config and the SyncSets say. ``synced`` is None where there are none of them.

    ``excluded`` has the wildcards of namespaces that each process leaves out.
    """

    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    synced: frozenset[GVK] | None = None
    problems: tuple[Diagnostic, ...] = ()

    @classmethod
    def build(cls, objects: Iterable[Object]) -> Settings:
        """Those among these objects; what is wrong with them is told in ``problems`` and not heeded."""
        problems: list[Diagnostic] = []
        synced: set[GVK] | None = None
        config: Object | None = None
        for object in objects:
            if not is_config(object):
                continue
            synced = set() if synced is None else synced
            if found := tuple(_malformed(object)):
                problems += found
                continue
            if _key(object) == CONFIG:
                if object.name != NAME:
                    problems.append(_ignored(object, ("metadata", "name"), *_NAME))
                    continue
                if config is not None and config.raw != object.raw:
                    problems.append(_twice(object, config))
                config = object
            else:
                synced.update(synced_kinds(object))
        excluded: dict[str, dict[str, None]] = {}
        if config is not None:
            assert synced is not None, "a Config was seen"
            synced.update(synced_kinds(config))
            for process, pattern in _exclusions(config, problems):
                excluded.setdefault(process, {})[pattern] = None
        return cls(
            excluded={process: tuple(patterns) for process, patterns in excluded.items()},
            synced=None if synced is None else frozenset(synced),
            problems=tuple(problems),
        )

    def excludes(self, process: str, object: Object, namespace: str) -> bool:
        """Whether a process leaves an object out; a Namespace goes by its own name.

        Objects in no namespace have an empty one, which ``*`` matches, as in Gatekeeper.
        """
        patterns = self.excluded.get(process, ())
        return any_wildcard(patterns, object.name if object.is_namespace else namespace)

    def inventory(self, objects: Iterable[Object]) -> Iterator[Object]:
        """The objects that may stand in the inventory."""
        return (row for row in objects if not self.excludes(SYNC, row, row.namespace))

    def unsynced(self, templates: Iterable[Template]) -> Iterator[Diagnostic]:
        """A warning for each part of the inventory that a template reads and nothing syncs.

        Without Config and SyncSet nothing is said: offline, inputs are the inventory.
        """
        for template in templates if self.synced is not None else ():
            for read in template.facts.inventoried:
                if self.synced is None or any(read.may_be(gvk) for gvk in self.synced):
                    continue
                source = template.sources[read.source]
                yield Diagnostic(
                    code=codes.READS_UNSYNCED,
                    level=Level.WARNING,
                    message=f"no Config or SyncSet syncs {read}: in a cluster of Gatekeeper's, the template "
                    "would find none",
                    at=Span(source, read.start, read.end),
                    policy=template.kind,
                    help="add the kind to spec.gvks of a SyncSet",
                )


NO_SETTINGS: Final = Settings()


def synced_kinds(object: Object) -> Iterator[GVK]:
    """The kinds that a Config or a SyncSet of the right shape syncs."""
    for row in object.get(*KINDS[_key(object)]) or ():
        yield GVK(row.get("group") or "", row.get("version") or "", row.get("kind") or "")


def _key(object: Object) -> tuple[str, str]:
    return object.gvk.group, object.kind


def _malformed(object: Object) -> Iterator[Diagnostic]:
    if object.gvk.version != VERSION:
        message = f'there is no version "{object.gvk.version}" of {object.kind}'
        at = object.at("apiVersion")
        yield Diagnostic(code=codes.BAD_CONFIG, message=message, at=at, help=f"write {VERSION}")
        return
    yield from validate(object.raw, shapes.config(object.kind), shapes.locate(object))


_NAME: Final = (f"only a Config that is named {NAME} governs anything", f"name it {NAME}")


def _exclusions(config: Object, problems: list[Diagnostic]) -> Iterator[tuple[str, str]]:
    """Each process with each wildcard that is to be left out of it."""
    for index, row in enumerate(config.get("spec", "match") or ()):
        path: Path = ("spec", "match", index)
        patterns = row.get("excludedNamespaces") or ()
        processes = row.get("processes") or ()
        if patterns and not processes:
            message = "an entry without processes excludes nothing"
            problems.append(_ignored(config, path, message, f"processes are {', '.join(PROCESSES)} and *"))
        for at, process in enumerate(processes):
            if process != "*" and process not in PROCESSES:
                message = f'there is no process "{process}", so nothing is excluded from it'
                help = f"processes are {', '.join(PROCESSES)} and *"
                problems.append(_ignored(config, (*path, "processes", at), message, help))
                continue
            for each in PROCESSES if process == "*" else (process,):
                yield from ((each, pattern) for pattern in patterns)


def _twice(object: Object, other: Object) -> Diagnostic:
    message = "there are two Configs; the last one holds"
    problem = _ignored(object, ("metadata", "name"), message)
    return problem.with_note("the other one is here", other.at("metadata", "name"))


def _ignored(object: Object, path: Path, message: str, help: str = "") -> Diagnostic:
    code, at = codes.CONFIG_IGNORED, object.at(*path)
    return Diagnostic(code=code, level=Level.WARNING, message=message, at=at, help=help)
