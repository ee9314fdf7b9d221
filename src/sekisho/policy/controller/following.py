"""What is written to a cluster after each snapshot, in order: what is made first, then what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sekisho.policy.controller.controller import PolicyController
from sekisho.policy.controller.crds import TemplateDefinitions
from sekisho.policy.controller.generating import Defaults, Generating
from sekisho.policy.controller.statuses import PodStatuses, PolicyStatuses
from sekisho.policy.status import Pod


def tell(controller: PolicyController, pod: Pod) -> PodStatuses:
    """Let a controller write what its pod says of each policy: every pod does that."""
    statuses = PodStatuses(controller.client, controller.watches, pod)
    controller.add(statuses)
    return statuses


@contextmanager
def leading(
    controller: PolicyController, statuses: PodStatuses, defaults: Defaults | None = None
) -> Iterator[None]:
    """Let a controller write what one pod of all does: definitions, admission policies, policies' statuses.

    ``statuses`` are those of ``tell``, which have what went wrong with the former.
    """
    client, watches = controller.client, controller.watches
    definitions, generating = TemplateDefinitions(client, watches), Generating(client, watches, defaults)
    together = PolicyStatuses(client, watches, statuses.pod.namespace)
    statuses.more.append(faults := lambda: definitions.faults)
    statuses.states = lambda: generating.states
    controller.add(definitions, generating, before=statuses)
    controller.add(together)
    try:
        yield
    finally:
        statuses.more.remove(faults)
        statuses.states = dict
        controller.remove(definitions, generating, together)
