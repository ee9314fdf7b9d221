"""Rows of commands that read."""

from __future__ import annotations

import json

from tests.conformance.kubectl.driver import Kubectl, Unexpected
from tests.conformance.kubectl.rows import CONFIG_MAP, DEPLOYMENT, POD, node, row

READ = "read"


@row(READ, "version")
def version(k: Kubectl) -> None:
    k.ok("version", r"Server Version: .*v1\.33")


@row(READ, "cluster-info")
def cluster_info(k: Kubectl) -> None:
    k.ok("cluster-info", "control plane.* is running at .*https://127.0.0.1")


@row(READ, "api-resources")
def api_resources(k: Kubectl) -> None:
    k.ok("api-resources", r"^pods +po +v1 +true +Pod$", r"^deployments +deploy +apps/v1 +true +Deployment$")
    k.ok(
        "api-resources -o wide --api-group=apps",
        r"deployments .*create,delete,deletecollection,get,list",
        "all",
    )
    k.ok("api-resources --namespaced=false --verbs=list -o name", "^clusterroles.rbac.authorization.k8s.io$")


@row(READ, "api-versions")
def api_versions(k: Kubectl) -> None:
    k.ok("api-versions", "^apps/v1$", "^v1$", "^autoscaling/v2$")


@row(READ, "get")
def get(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    k.ok("get cm cm", r"^NAME +DATA +AGE$", r"^cm +1 +\d+s$")
    k.ok("get configmaps,secrets --show-labels", r"^configmap/cm +1 +\d+s +a=b$")
    k.fails("get cm nothing", r'Error from server \(NotFound\): configmaps "nothing" not found')
    k.ok("get secrets", "No resources found in")
    k.fails("get nothings", """the server doesn't have a resource type "nothings\"""")


@row(READ, "get -o yaml|json|name|custom-columns|jsonpath|go-template")
def get_forms(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    k.ok("get cm cm -o yaml", "^kind: ConfigMap$", "^  key: value$", "resourceVersion:")
    assert json.loads(k.ok("get cm -o json"))["kind"] == "List"
    k.ok("get cm -l a=b -o name", "^configmap/cm$")
    k.ok("get cm cm -o custom-columns=N:.metadata.name,K:.data.key", "^cm +value$")
    assert k.value("get cm cm", ".data.key") == "value"
    assert k.ok("get cm cm -o go-template={{.data.key}}") == "value"


@row(READ, "get -o wide")
def get_wide(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("get deploy -o wide", r"SELECTOR", r"web +0/0 .* web +nginx:1.27 +app=web")


@row(READ, "get --all-namespaces")
def get_everywhere(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    k.ok("get cm -A", rf"^{k.namespace} +cm +1")


@row(READ, "get --sort-by")
def get_sorted(k: Kubectl) -> None:
    for name, text in (("b", "1"), ("a", "2")):
        k.ok(f"create cm {name} --from-literal=key={text}")
    found = k.ok("get cm --sort-by=.data.key -o name")
    assert found.index("/b") < found.index("/a"), found
    found = k.ok("get cm --sort-by=.metadata.name")
    assert found.index("\na ") < found.index("\nb "), found


@row(READ, "get --chunk-size")
def get_chunks(k: Kubectl) -> None:
    for number in range(5):
        k.ok(f"create cm cm-{number}")
    names = k.ok("get cm --chunk-size=2 -o name").split()
    assert [f"configmap/cm-{number}" for number in range(5)] == [name for name in names if "cm-" in name], (
        names
    )


@row(READ, "get --selector, --field-selector")
def get_selected(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    k.ok("create cm other")
    assert k.ok("get cm -l 'a in (b,c)' -o name") == "configmap/cm\n"
    assert k.ok("get cm -l '!a' -o name").split().count("configmap/other") == 1
    assert k.ok("get cm --field-selector metadata.name=other -o name") == "configmap/other\n"
    k.ok("create -f -", stdin=POD)
    assert k.ok("get pods --field-selector status.phase=Pending,spec.nodeName= -o name") == "pod/pod\n"
    k.fails("get cm --field-selector data.key=x", "is not a known field selector|field label not supported")


@row(READ, "get all")
def get_all(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("get all", "^deployment.apps/web")


@row(READ, "get --watch")
def get_watch(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    with k.background("get cm -l a=b --watch") as wait:
        wait(r"(?m)^cm +1 ")
        k.ok('patch cm cm --type=merge -p \'{"data":{"x":"y"}}\'')
        text = wait(r"(?m)^cm +2 ")
        assert text.count("NAME") == 1, text
    with k.background("get cm cm --watch --output-watch-events -o jsonpath='{.type}{\" \"}'") as wait:
        wait("ADDED")
        k.ok("delete cm cm")
        wait("ADDED DELETED")


@row(READ, "get --watch-only")
def get_watch_only(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    with k.background("get cm --watch-only") as wait:
        for number in range(50):  # until the watch has begun
            k.ok(f"create cm new-{number}")
            try:
                text = wait(rf"new-{number} +0 ") if number > 3 else ""
            except Unexpected:
                continue
            if text:
                break
        assert "\ncm " not in text, text


@row(READ, "get --subresource")
def get_subresource(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    assert json.loads(k.ok("get deploy web --subresource=scale -o json"))["kind"] == "Scale"
    assert json.loads(k.ok("get deploy web --subresource=status -o json"))["kind"] == "Deployment"


@row(READ, "get --raw")
def get_raw(k: Kubectl) -> None:
    assert k.ok("get --raw /readyz") == "ok"
    assert json.loads(k.ok("get --raw /api/v1/namespaces/default"))["kind"] == "Namespace"


DESCRIBED = """\
apiVersion: v1
kind: Secret
metadata: {name: secret}
data: {x: AAA=}
---
apiVersion: v1
kind: Service
metadata: {name: service}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ingress}
spec: {defaultBackend: {service: {name: service, port: {number: 80}}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: policy}
spec: {podSelector: {}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec: {replicas: 0, serviceName: s, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}
"""


@row(READ, "describe")
def describe(k: Kubectl) -> None:
    k.ok("create -f -", stdin=f"{DEPLOYMENT}---\n{POD}---\n{CONFIG_MAP}---\n{DESCRIBED}")
    k.ok(
        "describe deploy web", r"^Name: +web$", r"RollingUpdateStrategy: +25% max unavailable, 25% max surge"
    )
    k.ok("describe pod pod", r"^Status: +Pending$", r"^QoS Class: +BestEffort$")
    k.ok("describe cm cm", "^key:$")
    k.ok("describe secret secret", r"^x: +2 bytes$")
    k.ok("describe svc service", r"^Type: +ClusterIP$", r"^IP: +10\.")
    k.ok("describe ingress ingress", "service:80")
    k.ok("describe pvc claim", "^Status: +Pending$")
    k.ok("describe cronjob cron", r"^Schedule: +0 0 1 1 \*$")
    k.ok("describe netpol policy", "PodSelector: +<none>")
    k.ok("describe sts set", "^Replicas: +0 desired")
    k.ok("describe pdb budget", "^Min available: +1$")
    k.ok("describe sa default", "^Name: +default$")
    k.fails("describe pod nothing", "not found")


@row(READ, "describe node, namespace")
def describe_cluster(k: Kubectl) -> None:
    k.ok(f"describe node {node(k)}", r"^Unschedulable: +false$")
    k.ok("create quota q --hard=pods=3")
    k.ok(f"describe ns {k.namespace}", "^Status: +Active$", "Resource Quotas?")


@row(READ, "events", since=27)
def events(k: Kubectl) -> None:
    k.ok(
        "create -f -",
        stdin=f"""\
apiVersion: v1
kind: Event
metadata: {{name: one}}
involvedObject: {{apiVersion: v1, kind: Pod, name: pod, namespace: {k.namespace}}}
reason: Tested
message: something happened
type: Normal
lastTimestamp: "2024-01-01T00:00:00Z"
""",
    )
    k.ok("events", "Normal +Tested +Pod/pod +something happened")
    k.ok("events --for pod/pod --types=Normal", "Tested")
    k.ok("get events", "Normal +Tested +pod/pod +something happened")
    k.ok("get events --field-selector involvedObject.name=pod,reason=Tested", "something happened")


@row(READ, "explain")
def explain(k: Kubectl) -> None:
    k.ok(
        "explain deployment",
        "KIND: +Deployment",
        r"VERSION: +(apps/)?v1",
        "enables declarative updates for Pods",
    )
    k.ok("explain deploy.spec.strategy.rollingUpdate", "maxSurge", "maxUnavailable")
    k.ok("explain pods.spec.containers --recursive", "livenessProbe", "initialDelaySeconds")
    k.ok("explain hpa --api-version=autoscaling/v2", "HorizontalPodAutoscaler")
    k.fails("explain pods.nothing", 'field "nothing" does not exist')


@row(READ, "auth can-i")
def can_i(k: Kubectl) -> None:
    k.ok("auth can-i create pods", "^yes$")
    k.ok("auth can-i get /metrics", "^yes$")
    k.fails("auth can-i create pods --as=nobody-at-all", "^no")
    k.ok("auth can-i --list", r"\*\.\* +\[\] +\[\] +\[\*\]")


@row(READ, "auth whoami", since=28)
def whoami(k: Kubectl) -> None:
    k.ok("auth whoami", "^Username +kubernetes-admin$", r"system:masters")
    k.ok("auth whoami --as=ann --as-group=ops", "^Username +ann$", "ops")
