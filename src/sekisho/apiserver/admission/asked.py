"""What admission is asked about: one write, whose object plugins and webhooks may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sekisho.apiserver import names
from sekisho.apiserver.status import ApiError, Cause, forbidden
from sekisho.apiserver.types import ResourceType
from sekisho.kube.gvk import GVK, GVR
from sekisho.kube.object import Object
from sekisho.kube.review import NOBODY, Operation, Request, UserInfo

Raw = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Asked:
    """A write. ``object`` is None for a deletion, ``old`` for a creation; ``object`` may be changed in place.

    ``namespace`` is that of the request: of a Namespace its own name, empty at the cluster's scope. ``kind``
    is what the object is where that is not the resource's own (a Scale). ``shape`` brings an object that
    somebody has changed into its one form, with defaults.
    """

    type: ResourceType
    operation: Operation
    object: dict[str, Any] | None
    old: dict[str, Any] | None = None
    name: str = ""
    namespace: str = ""
    subresource: str = ""
    kind: GVK | None = None
    user: UserInfo = NOBODY
    dry_run: bool = False
    options: Raw | None = None
    namespace_object: Object | None = None
    uid: str = field(default_factory=names.new_uid)
    shape: Callable[[dict[str, Any]], dict[str, Any]] = dict

    @property
    def key(self) -> tuple[str, str]:
        """The resource, whatever the version."""
        return self.type.key

    @property
    def subject(self) -> dict[str, Any]:
        """The object that this is about: the new one, or the one that goes."""
        found = self.object if self.object is not None else self.old
        assert found is not None, "a write has an object"
        return found

    def is_(self, key: tuple[str, str], *operations: Operation) -> bool:
        """Whether this is one of these operations on a resource itself."""
        return not self.subresource and self.type.key == key and self.operation in operations

    def forbidden(self, why: str, *causes: Cause) -> ApiError:
        """The error of a plugin that refuses this."""
        metadata = self.subject.get("metadata") or {}
        name = metadata.get("name") or metadata.get("generateName") or self.name
        return forbidden(self.type.resource, name, why, causes)

    def request(self, resource: GVR | None = None, kind: GVK | None = None) -> Request:
        """The same as the question that reviewers and webhooks get, under another version if one is given."""
        own_kind = self.kind or self.type.gvk
        return Request(
            uid=self.uid,
            kind=kind or own_kind,
            resource=resource or self.type.gvr,
            subresource=self.subresource,
            request_kind=own_kind,
            request_resource=self.type.gvr,
            request_subresource=self.subresource,
            name=self.name,
            namespace=self.namespace,
            operation=self.operation,
            user=self.user,
            object=None if self.object is None else Object(self.object),
            old_object=None if self.old is None else Object(self.old),
            dry_run=self.dry_run,
            options=self.options,
            namespace_object=self.namespace_object,
        )
