"""Rows of commands about nodes, Pods and waiting."""

from __future__ import annotations

import threading
import time

from tests.conformance.kubectl.driver import Kubectl
from tests.conformance.kubectl.rows import CONFIG_MAP, DEPLOYMENT, POD, node, row

NODES, WAIT = "nodes", "wait"


@row(NODES, "cordon, uncordon")
def cordon(k: Kubectl) -> None:
    name = node(k)
    k.ok(f"cordon {name}", "cordoned")
    k.ok(f"get node {name}", "SchedulingDisabled")
    k.ok(f"cordon {name}", "already cordoned")
    k.ok(f"uncordon {name}", "uncordoned")
    k.ok(f"delete node {name}")


@row(NODES, "taint")
def taint(k: Kubectl) -> None:
    name = node(k)
    k.ok(f"taint node {name} a=b:NoSchedule", "tainted")
    assert k.value(f"get node {name}", ".spec.taints[0].key") == "a"
    k.fails(f"taint node {name} a=c:NoSchedule", "already has")
    k.ok(f"taint node {name} a:NoSchedule-", "untainted")
    k.ok(f"delete node {name}")


@row(NODES, "drain")
def drain(k: Kubectl) -> None:
    name = node(k)
    spread = POD.replace("spec: {", f"spec: {{nodeName: {name}, terminationGracePeriodSeconds: 1, ")
    k.ok("create -f -", stdin=spread)
    k.fails(f"drain {name}", "cannot delete.*Pods|declare no controller")
    k.ok(f"drain {name} --force --timeout=30s", "evicting pod|deleting Pod", "drained")
    k.fails("get pod pod", "NotFound")
    k.ok("create -f -", stdin=spread)
    k.ok(f"drain {name} --force --disable-eviction --grace-period=1 --timeout=30s", "drained")
    k.ok(f"delete node {name}")


@row(NODES, "drain (disruption budget)")
def drain_budget(k: Kubectl) -> None:
    name = node(k)
    spread = POD.replace("spec: {", f"spec: {{nodeName: {name}, terminationGracePeriodSeconds: 1, ")
    k.ok("create -f -", stdin=spread)
    status = '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'
    k.ok(f"patch pod pod --subresource=status --type=merge -p '{status}'")
    k.ok("create pdb p --selector=app=pod --min-available=1")
    k.fails(
        f"drain {name} --force --timeout=7s",
        "Cannot evict pod as it would violate the pod's disruption budget",
    )
    k.ok("delete pdb p")
    k.ok(f"drain {name} --force --timeout=30s", "drained")
    k.ok(f"delete node {name}")


@row(NODES, "debug (ephemeral container)")
def debug(k: Kubectl) -> None:
    k.ok("create -f -", stdin=POD)
    k.ok(
        "debug pod/pod --image=busybox:1.36 --container=dbg --profile=general --attach=false"
        if k.minor >= 27
        else ""
    )
    assert k.value("get pod pod", ".spec.ephemeralContainers[0].name") == "dbg"


@row(WAIT, "wait --for=condition")
def wait_condition(k: Kubectl) -> None:
    k.ok("create -f -", stdin=POD)
    k.fails("wait --for=condition=Ready pod/pod --timeout=1s", "timed out waiting for the condition")
    status = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    later(k, f"patch pod pod --subresource=status --type=merge -p '{status}'")
    k.ok("wait --for=condition=Ready pod/pod --timeout=20s", "pod/pod condition met")


@row(WAIT, "wait --for=jsonpath")
def wait_jsonpath(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    later(k, 'patch cm cm --type=merge -p \'{"data":{"key":"new"}}\'')
    k.ok("wait --for=jsonpath='{.data.key}'=new cm/cm --timeout=20s", "condition met")


@row(WAIT, "wait --for=delete")
def wait_delete(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    later(k, "delete cm cm")
    k.ok("wait --for=delete cm/cm --timeout=20s", "condition met")


@row(WAIT, "wait --for=create", since=31)
def wait_create(k: Kubectl) -> None:
    later(k, "create cm cm")
    k.ok("wait --for=create cm/cm --timeout=20s", "condition met")


@row(WAIT, "wait (WatchList)", since=30)
def wait_watch_list(k: Kubectl) -> None:
    k.environment["KUBE_FEATURE_WatchListClient"] = "true"
    k.ok("create -f -", stdin=CONFIG_MAP)
    later(k, 'patch cm cm --type=merge -p \'{"data":{"key":"new"}}\'')
    k.ok("wait --for=jsonpath='{.data.key}'=new cm/cm --timeout=20s", "condition met")


@row(WAIT, "rollout status")
def rollout_status(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("rollout pause deploy web")
    k.ok("rollout resume deploy web")
    generation = k.value("get deploy web", ".metadata.generation")
    status = f'{{"status":{{"observedGeneration":{generation}}}}}'
    later(k, f"patch deploy web --subresource=status --type=merge -p '{status}'")
    k.ok("rollout status deploy web --timeout=20s", "successfully rolled out")


def later(k: Kubectl, command: str) -> None:
    """Run a command in a moment, while the next one waits."""

    def work() -> None:
        time.sleep(0.7)
        k.run(command)

    threading.Thread(target=work).start()
