"""The roles and bindings of a store, ready to be asked: whom which binding gives which rules.

Kept up by listeners of the store: what was written counts from the next question on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sekisho.apiserver.authorize import SERVICE_ACCOUNT
from sekisho.apiserver.authz.rules import Rule, rules_of
from sekisho.apiserver.store import Event, Op, Row, Store
from sekisho.kube.review import UserInfo

GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = (GROUP, "roles")
CLUSTER_ROLES: Final = (GROUP, "clusterroles")
BINDINGS: Final = (GROUP, "rolebindings")
CLUSTER_BINDINGS: Final = (GROUP, "clusterrolebindings")

Key = tuple[str, str]
"""Namespace and name."""


class Subject(NamedTuple):
    """Whom a binding is for: kind and the name that a user or a group would have."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A binding: its role, and its subjects with how messages write each."""

    name: str
    namespace: str
    role_kind: str
    role: str
    subjects: Mapping[Subject, str]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Binding:
        """From a RoleBinding or ClusterRoleBinding."""
        namespace, reference = raw["metadata"].get("namespace", ""), raw["roleRef"]
        subjects: dict[Subject, str] = {}
        for row in raw.get("subjects") or ():
            kind, name = row.get("kind", ""), row.get("name", "")
            if kind != "ServiceAccount":
                subjects.setdefault(Subject(kind, name), f'{kind} "{name}"')
                continue
            where = row.get("namespace") or namespace
            if where:
                account = Subject("User", f"{SERVICE_ACCOUNT}{where}:{name}")
                subjects.setdefault(account, f'{kind} "{name}/{where}"')
        return cls(
            name=raw["metadata"]["name"],
            namespace=namespace,
            role_kind=reference.get("kind", ""),
            role=reference.get("name", ""),
            subjects=subjects,
        )

    def describe(self, subject: Subject) -> str:
        """Why somebody has a rule."""
        to = self.subjects[subject]
        if self.namespace:
            return f'RoleBinding "{self.name}/{self.namespace}" of {self.role_kind} "{self.role}" to {to}'
        return f'ClusterRoleBinding "{self.name}" of {self.role_kind} "{self.role}" to {to}'


class Granted(NamedTuple):
    """A rule that somebody has, and through which binding; or why a binding gives none."""

    binding: Binding
    subject: Subject
    rule: Rule | None
    problem: str = ""


class Roles:
    """What roles and bindings of a store say."""

    def __init__(self, store: Store) -> None:
        self._roles: dict[Key, tuple[Rule, ...]] = {}
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._by_subject: dict[str, dict[Subject, list[Binding]]] = {}
        for resource, read, forget in (
            (ROLES, self._read_role, self._forget_role),
            (CLUSTER_ROLES, self._read_role, self._forget_role),
            (BINDINGS, self._read_binding, self._forget_binding),
            (CLUSTER_BINDINGS, self._read_binding, self._forget_binding),
        ):

            def changed(event: Event, read: Any = read, forget: Any = forget) -> None:
                (forget if event.op is Op.DELETED else read)(event.row)

            for row in store.rows(resource):
                read(row)
            store.hub.listen(resource, changed)

    def _read_role(self, row: Row) -> None:
        self._roles[row.place.namespace, row.place.name] = rules_of(row.load())

    def _forget_role(self, row: Row) -> None:
        self._roles.pop((row.place.namespace, row.place.name), None)

    def _read_binding(self, row: Row) -> None:
        namespace = row.place.namespace
        self._bindings.setdefault(namespace, {})[row.place.name] = Binding.of(row.load())
        self._by_subject.pop(namespace, None)

    def _forget_binding(self, row: Row) -> None:
        self._bindings.get(row.place.namespace, {}).pop(row.place.name, None)
        self._by_subject.pop(row.place.namespace, None)

    def rules(self, kind: str, name: str, namespace: str) -> tuple[tuple[Rule, ...], str]:
        """The rules that a reference stands for, seen from a namespace; or what is wrong with it."""
        if kind not in ("Role", "ClusterRole"):
            return (), f'unsupported role reference kind: "{kind}"'
        where = namespace if kind == "Role" else ""
        found = self._roles.get((where, name)) if where or kind == "ClusterRole" else None
        if found is None:
            return (), f'{kind.lower()}.{GROUP} "{name}" not found'
        return found, ""

    def granted(self, user: UserInfo, namespace: str) -> Iterator[Granted]:
        """What somebody has in a namespace: everywhere first, then there."""
        subjects = {Subject("User", user.username), *(Subject("Group", name) for name in user.groups)}
        for where in ("", namespace) if namespace else ("",):
            index = self._index(where)
            found = {row.name: row for subject in subjects for row in index.get(subject, ())}
            for _, binding in sorted(found.items()):
                yield from self._of(binding, next(row for row in binding.subjects if row in subjects))

    def _of(self, binding: Binding, subject: Subject) -> Iterator[Granted]:
        rules, problem = self.rules(binding.role_kind, binding.role, binding.namespace)
        if problem:
            yield Granted(binding, subject, None, problem)
        for rule in rules:
            yield Granted(binding, subject, rule)

    def _index(self, namespace: str) -> Mapping[Subject, list[Binding]]:
        """The bindings of a namespace by subject, made anew after one has changed."""
        found = self._by_subject.get(namespace)
        if found is None:
            found = self._by_subject[namespace] = {}
            for binding in self._bindings.get(namespace, {}).values():
                for subject in binding.subjects:
                    found.setdefault(subject, []).append(binding)
        return found
