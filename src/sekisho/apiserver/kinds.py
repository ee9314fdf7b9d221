"""Kinds that go over the wire but are no resources of their own: Scale, Eviction, Binding, TokenRequest."""

from __future__ import annotations

from functools import partial

from sekisho.apiserver.release import VERSION
from sekisho.apiserver.types import ResourceType
from sekisho.kube.gvk import GVK
from sekisho.kube.schema import Schema
from sekisho.kube.schema.builtin import builtin


def kind_type(gvk: GVK) -> ResourceType:
    """What bodies of a kind are decoded as."""
    return ResourceType(
        group=gvk.group,
        version=gvk.version,
        kind=gvk.kind,
        plural=gvk.kind.lower(),
        singular=gvk.kind.lower(),
        namespaced=True,
        schema=partial(_schema, gvk),
    )


def _schema(gvk: GVK) -> Schema | None:
    found = builtin(VERSION).lookup(*gvk)
    return found.schema if found else None
