"""Rows of commands that write."""

from __future__ import annotations

import json

from tests.conformance.kubectl.driver import Kubectl
from tests.conformance.kubectl.rows import CONFIG_MAP, DEPLOYMENT, POD, row

CREATE, APPLY, CHANGE, DELETE = "create", "apply", "change", "delete"


@row(CREATE, "create -f")
def create_file(k: Kubectl) -> None:
    k.file("cm.yaml", CONFIG_MAP)
    k.ok("create -f cm.yaml", "^configmap/cm created$")
    k.fails("create -f cm.yaml", r'Error from server \(AlreadyExists\).*configmaps "cm" already exists')
    k.fails(
        "create -f -",
        'strict decoding error: unknown field "dta"',
        stdin=CONFIG_MAP.replace("\ndata", "\ndta"),
    )
    k.ok(
        "create --validate=false -f -",
        stdin=CONFIG_MAP.replace("\ndata", "\ndta").replace("name: cm", "name: b"),
    )
    k.ok(
        "create --validate=warn -f -",
        "Warning: unknown field",
        stdin=CONFIG_MAP.replace("\ndata", "\ndta").replace("name: cm", "name: c"),
    )
    k.ok("create --dry-run=server -f -", "created .server dry run.", stdin=POD)
    k.fails("get pod pod", "NotFound")


@row(CREATE, "create -f (List, several documents, generateName)")
def create_many(k: Kubectl) -> None:
    k.ok("create -f -", "configmap/cm created", "pod/pod created", stdin=f"{CONFIG_MAP}---\n{POD}")
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in "xy"]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    k.ok("create -f -", "configmap/x created", "configmap/y created", stdin=listed)
    k.ok(
        "create -f -",
        r"configmap/g-[a-z0-9]{5} created",
        stdin=CONFIG_MAP.replace("name: cm", "generateName: g-"),
    )


@row(CREATE, "create namespace, configmap, secret, serviceaccount, token")
def create_small(k: Kubectl) -> None:
    k.ok(f"create ns {k.namespace}-x", "created")
    k.file("file.txt", "text")
    k.ok("create cm a --from-literal=x=1 --from-file=file.txt", "configmap/a created")
    assert k.value("get cm a", ".data['file\\.txt']") == "text"
    k.ok("create secret generic s --from-literal=p=q", "secret/s created")
    assert k.value("get secret s", ".data.p") == "cQ=="
    k.ok("create secret docker-registry r --docker-username=u --docker-password=p", "secret/r created")
    k.ok("create sa robot", "serviceaccount/robot created")
    assert k.ok("create token robot --duration=20m").count(".") == 2
    k.ok(f"delete ns {k.namespace}-x", "deleted")


@row(CREATE, "create deployment, job, cronjob")
def create_workloads(k: Kubectl) -> None:
    k.ok("create deployment d --image=nginx --replicas=0 --port=80", "deployment.apps/d created")
    assert k.value("get deploy d", ".spec.template.spec.containers[0].ports[0].containerPort") == "80"
    k.ok("create job j --image=busybox -- date", "job.batch/j created")
    k.ok('create cronjob c --image=busybox --schedule="0 0 1 1 *" -- date', "cronjob.batch/c created")
    k.ok("create job from-cron --from=cronjob/c", "job.batch/from-cron created")
    assert k.value("get job from-cron", ".metadata.ownerReferences[0].name") == "c"


@row(CREATE, "create role, rolebinding, clusterrole, clusterrolebinding")
def create_roles(k: Kubectl) -> None:
    name = k.namespace
    k.ok("create role r --verb=get,list --resource=pods,deployments.apps", "role.rbac.* created")
    k.ok("create rolebinding b --role=r --user=ann --serviceaccount=default:x", "rolebinding.rbac.* created")
    k.ok(f"create clusterrole {name} --verb=get --resource=nodes", "clusterrole.rbac.* created")
    k.ok(f"create clusterrole {name}-u --verb=get --non-resource-url=/metrics", "created")
    k.ok(f"create clusterrolebinding {name} --clusterrole={name} --group=ops", "clusterrolebinding.* created")
    k.ok("auth can-i get pods --as=ann", "^yes")
    k.fails("auth can-i delete pods --as=ann", "^no")
    k.ok(f"delete clusterrole,clusterrolebinding {name}", "deleted")
    k.ok(f"delete clusterrole {name}-u", "deleted")


@row(CREATE, "create quota, poddisruptionbudget, priorityclass")
def create_limits(k: Kubectl) -> None:
    k.ok("create quota q --hard=pods=2 --scopes=BestEffort", "resourcequota/q created")
    k.ok("create pdb p --selector=app=web --min-available=50%", "poddisruptionbudget.policy/p created")
    k.ok(f"create priorityclass {k.namespace} --value=1000 --description=d", "priorityclass.* created")
    k.ok(f"delete priorityclass {k.namespace}")


@row(CREATE, "create service, ingress")
def create_network(k: Kubectl) -> None:
    k.ok("create service clusterip c --tcp=80:8080", "service/c created")
    k.ok("create service clusterip h --clusterip=None", "service/h created")
    k.ok("create service nodeport n --tcp=80", "service/n created")
    k.ok("create service loadbalancer l --tcp=80", "service/l created")
    k.ok("create service externalname e --external-name=example.com", "service/e created")
    k.ok('create ingress i --rule="foo.com/bar=svc:8080,tls=secret"', "ingress.networking.k8s.io/i created")
    k.ok(
        "get svc",
        r"^c +ClusterIP +10\.",
        r"^h +ClusterIP +None",
        r"^n +NodePort .*80:3\d{4}/TCP",
        r"^l +LoadBalancer .*<pending>",
        r"^e +ExternalName +<none> +example.com",
    )
    k.ok("get ingress", r"^i +<none> +foo.com")


@row(CREATE, "run")
def run(k: Kubectl) -> None:
    k.ok("run p --image=nginx --labels=a=b --env=X=Y --port=80", "^pod/p created$")
    assert k.value("get pod p", ".metadata.labels.a") == "b"
    k.ok("run q --image=nginx --dry-run=server -o yaml", "image: nginx", "restartPolicy: Always")


@row(CREATE, "expose")
def expose(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("expose deployment web --port=80 --target-port=8080 --name=s", "^service/s exposed$")
    assert k.value("get svc s", ".spec.selector.app") == "web"


@row(CREATE, "autoscale")
def autoscale(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("autoscale deployment web --min=1 --max=3 --cpu-percent=80", "autoscaled")
    k.ok("get hpa web", r"Deployment/web +cpu: <unknown>/80% +1 +3 +0")


@row(APPLY, "apply")
def apply(k: Kubectl) -> None:
    k.file("d.yaml", DEPLOYMENT)
    k.ok("apply -f d.yaml", "^deployment.apps/web created$")
    k.ok("apply -f d.yaml", "^deployment.apps/web unchanged$")
    k.file(
        "d.yaml",
        DEPLOYMENT.replace("1.27", "1.28").replace("labels: {app: web}}\nspec", "labels: {new: l}}\nspec"),
    )
    k.ok("apply -f d.yaml", "^deployment.apps/web configured$")
    assert k.value("get deploy web", ".spec.template.spec.containers[0].image") == "nginx:1.28"
    assert k.value("get deploy web", ".metadata.labels") == '{"new":"l"}'
    k.ok("apply -f d.yaml", "^deployment.apps/web unchanged$")
    k.ok("apply view-last-applied deploy web", "nginx:1.28")
    k.ok("apply set-last-applied -f d.yaml", "set|unchanged|configured")


@row(APPLY, "apply (several kinds, a List)")
def apply_many(k: Kubectl) -> None:
    many = f"{DEPLOYMENT}---\n{CONFIG_MAP}"
    k.ok("apply -f -", "deployment.apps/web created", "configmap/cm created", stdin=many)
    listed = json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [json.loads(k.ok("get cm cm -o json"))]}
    )
    k.ok("apply -f -", "configmap/cm (unchanged|configured)", stdin=listed)


@row(APPLY, "apply --dry-run=server")
def apply_dry(k: Kubectl) -> None:
    k.ok("apply --dry-run=server -f -", "created .server dry run.", stdin=DEPLOYMENT)
    k.fails("get deploy web", "NotFound")
    k.ok("apply -f -", stdin=DEPLOYMENT)
    changed = DEPLOYMENT.replace("1.27", "1.28")
    k.ok("apply --dry-run=server -o yaml -f -", "image: nginx:1.28", stdin=changed)
    assert k.value("get deploy web", ".spec.template.spec.containers[0].image") == "nginx:1.27"


@row(APPLY, "apply --server-side")
def apply_server_side(k: Kubectl) -> None:
    k.ok("apply --server-side -f -", "serverside-applied", stdin=DEPLOYMENT)
    k.ok("apply --server-side -f -", "serverside-applied", stdin=DEPLOYMENT)
    k.ok("get deploy web -o yaml --show-managed-fields", "manager: kubectl$", "operation: Apply")
    changed = DEPLOYMENT.replace("1.27", "1.28")
    k.fails(
        "apply --server-side --field-manager=other -f -",
        'conflict with "kubectl"',
        r"\.spec\.template\.spec\.containers\[name=\"web\"\]\.image",
        stdin=changed,
    )
    k.ok("apply --server-side --field-manager=other --force-conflicts -f -", stdin=changed)
    assert k.value("get deploy web", ".spec.template.spec.containers[0].image") == "nginx:1.28"
    k.ok("apply --server-side --dry-run=server -f -", "server dry run", stdin=CONFIG_MAP)


@row(APPLY, "apply, then apply --server-side")
def apply_migration(k: Kubectl) -> None:
    k.ok("apply -f -", stdin=DEPLOYMENT)
    k.ok("apply --server-side -f -", "serverside-applied", stdin=DEPLOYMENT.replace("1.27", "1.28"))
    k.ok("apply --server-side -f -", "serverside-applied", stdin=DEPLOYMENT.replace("1.27", "1.29"))
    assert k.value("get deploy web", ".spec.template.spec.containers[0].image") == "nginx:1.29"
    managers = k.value("get deploy web --show-managed-fields", ".metadata.managedFields[*].manager")
    assert "kubectl-client-side-apply" not in managers, managers


@row(APPLY, "diff")
def diff(k: Kubectl) -> None:
    k.fails("diff -f -", r"\+.*image: nginx:1.27", stdin=DEPLOYMENT, code=1)
    k.ok("apply -f -", stdin=DEPLOYMENT)
    assert k.ok("diff -f -", stdin=DEPLOYMENT) == ""
    k.fails(
        "diff -f -", r"-.*nginx:1.27", r"\+.*nginx:1.28", stdin=DEPLOYMENT.replace("1.27", "1.28"), code=1
    )


@row(APPLY, "diff --server-side")
def diff_server_side(k: Kubectl) -> None:
    k.ok("apply --server-side -f -", stdin=DEPLOYMENT)
    assert k.ok("diff --server-side -f -", stdin=DEPLOYMENT) == ""
    changed = DEPLOYMENT.replace("1.27", "1.28")
    k.fails("diff --server-side -f -", r"\+.*nginx:1.28", stdin=changed, code=1)


@row(APPLY, "apply -k, create -k, delete -k")
def kustomize(k: Kubectl) -> None:
    k.file("base/d.yaml", DEPLOYMENT)
    k.file("base/kustomization.yaml", "resources: [d.yaml]\nnamePrefix: x-\n")
    k.ok("apply -k base", "deployment.apps/x-web created")
    k.ok("delete -k base", '"x-web" deleted')


@row(APPLY, "apply --prune")
def prune(k: Kubectl) -> None:
    k.ok("apply -f -", stdin=CONFIG_MAP)
    other = CONFIG_MAP.replace("name: cm", "name: other")
    k.ok("apply --prune -l a=b -f -", "configmap/other created", "configmap/cm pruned", stdin=other)
    k.fails("get cm cm", "NotFound")


@row(CHANGE, "edit")
def edit(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.environment["KUBE_EDITOR"] = "sed -i s/nginx:1.27/nginx:1.30/"
    k.ok("edit deploy web", "deployment.apps/web edited")
    assert k.value("get deploy web", ".spec.template.spec.containers[0].image") == "nginx:1.30"
    k.environment["KUBE_EDITOR"] = "true"
    k.ok("edit deploy web", "Edit cancelled, no changes made")


@row(CHANGE, "set image, resources, env, serviceaccount, selector, subject")
def set_fields(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("set image deploy/web web=nginx:2", "image updated")
    k.ok("set resources deploy/web --limits=cpu=200m,memory=512Mi", "resource requirements updated")
    k.ok("set env deploy/web A=b", "env updated")
    k.ok("set serviceaccount deploy/web robot", "serviceaccount updated")
    spec = json.loads(k.ok("get deploy web -o json"))["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == "nginx:2", spec
    assert spec["containers"][0]["resources"]["limits"] == {"cpu": "200m", "memory": "512Mi"}, spec
    assert spec["containers"][0]["env"] == [{"name": "A", "value": "b"}], spec
    assert spec["serviceAccountName"] == "robot", spec
    k.ok("create service clusterip s --tcp=80")
    k.ok("set selector service s x=y", "selector updated")
    k.ok("create rolebinding b --clusterrole=view --user=ann")
    k.ok("set subject rolebinding b --user=bob", "subjects updated")


@row(CHANGE, "label, annotate")
def label(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    k.ok("label cm cm x=y", "labeled")
    k.fails("label cm cm x=z", "already has a value")
    k.ok("label cm cm x=z --overwrite", "labeled")
    k.ok("label cm cm --list", "^x=z$")
    k.ok("label cm cm x-", "unlabeled|labeled")
    k.ok("label cm cm x-", "not found|not labeled")
    k.ok("annotate cm cm note=text", "annotated?")
    assert k.value("get cm cm", ".metadata.annotations.note") == "text"
    k.fails("label cm cm x=a_b_", "Invalid value|invalid label value|must consist of")


@row(CHANGE, "patch")
def patch(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok(
        'patch deploy web -p \'{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"x"}]}}}}\'',
        "patched",
    )
    assert k.value("get deploy web", ".spec.template.spec.containers[0].ports[0].containerPort") == "80"
    k.ok('patch deploy web --type=merge -p \'{"metadata":{"labels":{"app":null}}}\'', "patched")
    k.ok(
        'patch deploy web --type=json -p \'[{"op":"add","path":"/spec/paused","value":true},{"op":"test","path":"/spec/paused","value":true}]\'',
        "patched",
    )
    k.ok('patch deploy web --type=merge -p \'{"spec":{"paused":true}}\'', "no change")
    k.ok(
        'patch deploy web --subresource=status --type=merge -p \'{"status":{"observedGeneration":9}}\'',
        "patched",
    )
    k.ok('patch deploy web --subresource=scale --type=merge -p \'{"spec":{"replicas":2}}\'', "patched|scaled")
    assert k.value("get deploy web", ".spec.replicas") == "2"
    k.fails('patch deploy web -p \'{"spec":{"selector":{"matchLabels":{"a":"b"}}}}\'', "field is immutable")


@row(CHANGE, "scale")
def scale(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("scale deploy web --replicas=2", "scaled")
    k.ok("scale --current-replicas=2 --replicas=0 deploy/web", "scaled")
    k.fails("scale --current-replicas=7 --replicas=0 deploy/web", "Expected replicas to be 7, was 0")


@row(CHANGE, "replace, replace --force")
def replace(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP)
    k.ok("replace -f -", "configmap/cm replaced", stdin=CONFIG_MAP.replace("value", "new"))
    before = k.value("get cm cm", ".metadata.uid")
    k.ok("replace --force -f -", "configmap/cm replaced", stdin=CONFIG_MAP)
    assert k.value("get cm cm", ".metadata.uid") != before
    stale = k.ok("get cm cm -o yaml")
    k.ok("label cm cm q=r")
    k.fails("replace -f -", "the object has been modified", stdin=stale)


@row(CHANGE, "rollout restart, pause, resume, status, history")
def rollout(k: Kubectl) -> None:
    k.ok("create -f -", stdin=DEPLOYMENT)
    k.ok("rollout restart deploy web", "restarted")
    k.ok("get deploy web -o yaml", "kubectl.kubernetes.io/restartedAt")
    k.ok("rollout pause deploy web", "paused")
    k.ok("rollout resume deploy web", "resumed")
    generation = k.value("get deploy web", ".metadata.generation")
    status = f'{{"status":{{"observedGeneration":{generation}}}}}'
    k.ok(f"patch deploy web --subresource=status --type=merge -p '{status}'")
    k.ok("rollout status deploy web --timeout=10s", "successfully rolled out")
    k.ok("rollout history deploy web", "REVISION|No rollout history")


@row(DELETE, "delete")
def delete(k: Kubectl) -> None:
    k.ok("create -f -", stdin=f"{CONFIG_MAP}---\n{POD}")
    k.ok("delete cm cm --dry-run=server", "deleted .server dry run.")
    k.ok("delete cm cm", 'configmap "cm" deleted')
    k.ok("delete cm cm --ignore-not-found")
    k.fails("delete cm cm", "NotFound")
    k.ok("delete -f -", 'pod "pod" deleted', stdin=POD)
    k.ok("create -f -", stdin=POD)
    k.ok("delete pod pod --now", "deleted")
    k.ok("create -f -", stdin=POD)
    k.ok("delete pod pod --grace-period=0 --force", "deleted")


@row(DELETE, "delete --all, -l, --field-selector")
def delete_many(k: Kubectl) -> None:
    for name in "abc":
        k.ok(f"create secret generic {name}")
    k.ok("label secret a x=y")
    k.ok("delete secret -l x=y", '"a" deleted')
    k.ok("delete secret --field-selector metadata.name=b", '"b" deleted')
    k.ok("delete secret --all", '"c" deleted')
    k.ok("get secret", "No resources found")


OWNED = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: NAME
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: UID, blockOwnerDeletion: true}]
"""


@row(DELETE, "delete --cascade=background|foreground|orphan")
def cascade(k: Kubectl) -> None:
    for how in ("background", "foreground", "orphan"):
        k.ok("create cm owner")
        uid = k.value("get cm owner", ".metadata.uid")
        k.ok("create -f -", stdin=OWNED.replace("NAME", how).replace("UID", uid))
        k.ok(f"delete cm owner --cascade={how} --timeout=20s", "deleted")
        if how == "orphan":
            assert k.value(f"get cm {how}", ".metadata.ownerReferences") == ""
        else:
            k.ok(f"wait --for=delete cm/{how} --timeout=10s")


@row(DELETE, "delete namespace")
def delete_namespace(k: Kubectl) -> None:
    name = f"{k.namespace}-gone"
    k.ok(f"create ns {name}")
    k.ok(f"create cm inside -n {name}")
    k.ok(f"delete ns {name} --timeout=20s", "deleted")
    k.fails(f"get ns {name}", "NotFound")
    k.fails("delete ns default", "Forbidden.*this namespace may not be deleted")


@row(DELETE, "delete (finalizers)")
def finalizers(k: Kubectl) -> None:
    k.ok("create -f -", stdin=CONFIG_MAP.replace("name: cm,", "name: cm, finalizers: [example.com/x],"))
    k.ok("delete cm cm --wait=false", "deleted")
    assert k.value("get cm cm", ".metadata.deletionTimestamp")
    k.fails("delete cm cm --timeout=1s", "timed out waiting")
    k.ok('patch cm cm --type=merge -p \'{"metadata":{"finalizers":null}}\'', "patched")
    k.fails("get cm cm", "NotFound")
