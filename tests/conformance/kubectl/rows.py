"""What a row is: a name, what it shows, and a function that drives kubectl."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.kubectl.driver import Kubectl

Work = Callable[[Kubectl], None]


@dataclass(frozen=True)
class Row:
    """One row of the table. ``since`` is the first minor version of kubectl that has the command; ``played``
    rows need a cluster that runs Pods.
    """

    group: str
    command: str
    work: Work
    since: int = 27
    played: bool = False


ROWS: list[Row] = []


def row(group: str, command: str, *, since: int = 27) -> Callable[[Work], Work]:
    """Make a function a row."""

    def decorate(work: Work) -> Work:
        ROWS.append(Row(group, command, work, since))
        return work

    return decorate


def all_rows() -> list[Row]:
    """Every row, in the order of the modules."""
    from tests.conformance.kubectl import reading, running, special, streaming, writing

    assert reading, "imported for its rows"
    assert running
    assert special
    assert streaming
    assert writing
    return ROWS


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
"""

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: pod, labels: {app: pod}}
spec: {containers: [{name: c, image: "busybox:1.36"}]}
"""

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: cm, labels: {a: b}}
data: {key: value}
"""

NODE = """\
apiVersion: v1
kind: Node
metadata: {name: NAME, labels: {disk: ssd}}
"""


def node(k: Kubectl) -> str:
    """A Node of the row's own; its name."""
    name = f"node-{k.namespace}"
    k.ok("create -f -", stdin=NODE.replace("NAME", name))
    return name
