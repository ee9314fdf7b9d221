"""What is written to a cluster after each snapshot, in order: each follower tells the next what it found."""

from __future__ import annotations

from sekisho.policy.controller.controller import PolicyController
from sekisho.policy.controller.crds import TemplateDefinitions
from sekisho.policy.controller.statuses import PodStatuses, PolicyStatuses
from sekisho.policy.status import Pod


def follow(controller: PolicyController, pod: Pod, *, leads: bool = True) -> None:
    """Let a controller write, as a pod: definitions and the statuses of policies where it ``leads``.

    What this pod itself says of each policy is written in any case.
    """
    client, watches = controller.client, controller.watches
    statuses = PodStatuses(client, watches, pod)
    if leads:
        definitions = TemplateDefinitions(client, watches)
        statuses.more.append(lambda: definitions.faults)
        controller.followers.append(definitions)
    controller.followers.append(statuses)
    if leads:
        controller.followers.append(PolicyStatuses(client, watches, pod.namespace))
