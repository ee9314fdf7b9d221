"""What the ``kubernetes`` Python package does with a server; run by the interpreter that has the package.

    python cases.py KUBECONFIG KUBECONFIG-OF-A-CLUSTER-THAT-RUNS-PODS [NAME...]

One line for each case: ``ok NAME``, or ``failed NAME: why``. Each case has a namespace of its own. A case that
needs the server to start anew says ``need restart`` to the runner, and goes on when it reads a line.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from kubernetes import client, config, watch
from kubernetes import stream as streaming
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

CASES: dict[str, Callable[[str], None]] = {}
PATIENCE = 30.0
CHURN = 2_500
"""Changes after which no server of ours remembers what was before; a real one forgets after five minutes."""


def case(work: Callable[[str], None]) -> Callable[[str], None]:
    CASES[work.__name__] = work
    return work


PLAYED: set[str] = set()
"""Cases that need a cluster which runs Pods."""


def played(work: Callable[[str], None]) -> Callable[[str], None]:
    PLAYED.add(work.__name__)
    return case(work)


def need(what: str) -> None:
    """Ask the runner for something, and wait until it is done."""
    print(f"need {what}", flush=True)
    sys.stdin.readline()


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} does not happen"
        time.sleep(0.02)


def refused(code: int, work: Callable[[], Any]) -> ApiException:
    try:
        work()
    except ApiException as error:
        if error.status == code:
            return error
        raise
    raise AssertionError(f"nothing is refused, and {code} is expected")


def config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"case": name}), data=data)


@case
def typed_objects_are_made_read_changed_and_deleted(namespace: str) -> None:
    core = client.CoreV1Api()
    made = core.create_namespaced_config_map(namespace, config_map("a", x="1"))
    assert made.metadata.uid
    assert refused(409, lambda: core.create_namespaced_config_map(namespace, config_map("a"))).reason
    made.data = {"x": "2"}
    changed = core.replace_namespaced_config_map("a", namespace, made)
    assert changed.data == {"x": "2"}
    refused(409, lambda: core.replace_namespaced_config_map("a", namespace, made))
    patched = core.patch_namespaced_config_map("a", namespace, {"data": {"y": "3"}})
    assert patched.data == {"x": "2", "y": "3"}
    assert core.read_namespaced_config_map("a", namespace).data == patched.data
    core.delete_namespaced_config_map("a", namespace)
    refused(404, lambda: core.read_namespaced_config_map("a", namespace))


@case
def lists_have_pages_and_selectors(namespace: str) -> None:
    core = client.CoreV1Api()
    for at in range(7):
        core.create_namespaced_config_map(namespace, config_map(f"m{at}"))
    names, rest = [], None
    while True:
        page = core.list_namespaced_config_map(namespace, limit=3, _continue=rest, label_selector="case")
        names += [row.metadata.name for row in page.items]
        rest = page.metadata._continue
        if not rest:
            break
    assert names == [f"m{at}" for at in range(7)], names
    found = core.list_namespaced_config_map(namespace, label_selector="case in (m1, m2),case!=m2")
    assert [row.metadata.name for row in found.items] == ["m1"]
    found = core.list_namespaced_config_map(namespace, field_selector="metadata.name=m5")
    assert [row.metadata.name for row in found.items] == ["m5"]
    core.delete_collection_namespaced_config_map(namespace, label_selector="case!=m3")
    left = core.list_namespaced_config_map(namespace, label_selector="case")
    assert [row.metadata.name for row in left.items] == ["m3"]


@case
def deployments_get_defaults_and_scales(namespace: str) -> None:
    apps = client.AppsV1Api()
    labels = {"app": "web"}
    pod = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="registry.example/web:1")]),
    )
    spec = client.V1DeploymentSpec(selector=client.V1LabelSelector(match_labels=labels), template=pod)
    body = client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec)
    made = apps.create_namespaced_deployment(namespace, body)
    assert (made.spec.replicas, made.spec.strategy.type) == (1, "RollingUpdate")
    assert made.spec.template.spec.restart_policy == "Always"
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    scaled = apps.read_namespaced_deployment("web", namespace)
    assert (scaled.spec.replicas, scaled.metadata.generation) == (3, 2)
    status = {"status": {"replicas": 3, "observedGeneration": 2}}
    told = apps.patch_namespaced_deployment_status("web", namespace, status)
    assert (told.status.replicas, told.metadata.generation) == (3, 2)
    container = {"name": "c", "image": "registry.example/web:2"}
    template = {"spec": {"containers": [container]}}
    patched = apps.patch_namespaced_deployment("web", namespace, {"spec": {"template": template}})
    assert [row.image for row in patched.spec.template.spec.containers] == ["registry.example/web:2"]
    bad = client.V1Deployment(metadata=client.V1ObjectMeta(name="Not_A_Name"), spec=spec)
    refused(422, lambda: apps.create_namespaced_deployment(namespace, bad))


@case
def a_watch_tells_every_change_in_order(namespace: str) -> None:
    core = client.CoreV1Api()
    begin = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, config_map("a", x="1"))
    core.patch_namespaced_config_map("a", namespace, {"data": {"x": "2"}})
    core.delete_namespaced_config_map("a", namespace)
    told = []
    stream = watch.Watch()
    for event in stream.stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=begin,
        label_selector="case",
        timeout_seconds=20,
    ):
        told.append((event["type"], event["object"].data["x"]))
        if event["type"] == "DELETED":
            stream.stop()
    assert told == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")], told


@case
def the_dynamic_client_finds_kinds_and_uses_them(namespace: str) -> None:
    dynamic = DynamicClient(client.ApiClient())
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    made = maps.create(body=body, namespace=namespace)
    assert made.data.x == "1"
    try:
        maps.create(body=body, namespace=namespace)
    except ConflictError:
        pass
    else:
        raise AssertionError("the second create is not refused")
    merge = "application/merge-patch+json"
    patched = maps.patch(
        name="a", namespace=namespace, body={"data": {"x": None, "y": "2"}}, content_type=merge
    )
    assert patched.data.to_dict() == {"y": "2"}
    assert [
        row.metadata.name for row in maps.get(namespace=namespace, field_selector="metadata.name=a").items
    ]
    deployments = dynamic.resources.get(api_version="apps/v1", kind="Deployment")
    assert {"status", "scale"} <= set(deployments.subresources)
    maps.delete(name="a", namespace=namespace)
    try:
        maps.get(name="a", namespace=namespace)
    except NotFoundError:
        return
    raise AssertionError("the object is still there")


@case
def custom_resources_are_served(namespace: str) -> None:
    group = f"{namespace}.example.com"
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"size": {"type": "integer", "default": 3, "minimum": 1}},
            }
        },
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    extensions, custom = client.ApiextensionsV1Api(), client.CustomObjectsApi()
    extensions.create_custom_resource_definition(definition)

    def established() -> bool:
        found = extensions.read_custom_resource_definition(f"things.{group}").status
        return any(row.type == "Established" and row.status == "True" for row in found.conditions or ())

    until(established, "the definition's being established")
    body: dict[str, Any] = {
        "apiVersion": f"{group}/v1",
        "kind": "Thing",
        "metadata": {"name": "a"},
        "spec": {},
    }
    made = custom.create_namespaced_custom_object(group, "v1", namespace, "things", body)
    assert made["spec"] == {"size": 3}
    bad = {**body, "metadata": {"name": "b"}, "spec": {"size": 0}}
    refused(422, lambda: custom.create_namespaced_custom_object(group, "v1", namespace, "things", bad))
    dynamic = DynamicClient(client.ApiClient())
    things = dynamic.resources.get(api_version=f"{group}/v1", kind="Thing")
    assert [row.metadata.name for row in things.get(namespace=namespace).items] == ["a"]
    extensions.delete_custom_resource_definition(f"things.{group}")


@case
def server_side_apply_owns_fields(namespace: str) -> None:
    dynamic = DynamicClient(client.ApiClient())
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")

    def apply(manager: str, data: dict[str, str], *, force: bool = False) -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
        return maps.server_side_apply(
            body=body, name="a", namespace=namespace, field_manager=manager, force_conflicts=force
        )

    apply("one", {"x": "1", "y": "1"})
    assert apply("two", {"z": "2"}).data.to_dict() == {"x": "1", "y": "1", "z": "2"}
    try:
        apply("two", {"x": "2"})
    except ConflictError:
        pass
    else:
        raise AssertionError("a field of another manager is taken without force")
    assert apply("two", {"x": "2"}, force=True).data.to_dict() == {"x": "2", "y": "1"}
    assert apply("one", {}).data.to_dict() == {"x": "2"}


@case
def tokens_and_reviews_are_answered(namespace: str) -> None:
    core, auth = client.CoreV1Api(), client.AuthorizationV1Api()
    core.create_namespaced_service_account(
        namespace, client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="robot"))
    )
    spec = client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600)
    request = client.AuthenticationV1TokenRequest(spec=spec)
    token = core.create_namespaced_service_account_token("robot", namespace, request).status.token
    settings = client.Configuration.get_default_copy()
    settings.cert_file = settings.key_file = None
    settings.api_key = {"authorization": f"Bearer {token}"}
    robot = client.CoreV1Api(client.ApiClient(settings))
    refused(403, lambda: robot.list_namespaced_secret(namespace))
    rights = client.V1ResourceAttributes(namespace=namespace, verb="list", resource="secrets")
    review = client.V1SubjectAccessReview(
        spec=client.V1SubjectAccessReviewSpec(
            user=f"system:serviceaccount:{namespace}:robot", resource_attributes=rights
        )
    )
    assert auth.create_subject_access_review(review).status.allowed is False


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"nodeName": "played", "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]},
}


def pod_that_runs(namespace: str) -> client.CoreV1Api:
    core = client.CoreV1Api()
    core.create_namespaced_pod(namespace, POD)
    until(lambda: core.read_namespaced_pod("p", namespace).status.phase == "Running", "the Pod's running")
    return core


@played
def logs_are_read_and_followed(namespace: str) -> None:
    core = pod_that_runs(namespace)
    assert core.read_namespaced_pod_log("p", namespace, container="b") == "b one\nb two\nb three\n"
    assert core.read_namespaced_pod_log("p", namespace, container="a", tail_lines=1) == "a three\n"
    assert "Z a two" in core.read_namespaced_pod_log("p", namespace, container="a", timestamps=True)
    found = core.read_namespaced_pod_log(
        "p", namespace, container="a", follow=True, tail_lines=1, _preload_content=False
    )
    assert b"".join(found.stream()) == b"a three\na four\na five\n"
    told = []
    stream = watch.Watch()
    for line in stream.stream(core.read_namespaced_pod_log, "p", namespace, container="b"):
        told.append(line)
        if line == "b five":
            stream.stop()
    assert told == ["b one", "b two", "b three", "b four", "b five"], told
    refused(400, lambda: core.read_namespaced_pod_log("p", namespace, container="c"))


@played
def commands_are_run_in_pods(namespace: str) -> None:
    core = pod_that_runs(namespace)

    def run(*command: str, **more: Any) -> Any:
        options = {"stdin": False, "stdout": True, "stderr": True, "tty": False, **more}
        return streaming.stream(
            core.connect_get_namespaced_pod_exec,
            "p",
            namespace,
            container="a",
            command=list(command),
            **options,
        )

    assert run("echo", "x", "y") == "x y\n"
    ended = run("sh", "-c", "echo out; echo err >&2; exit 3", _preload_content=False)
    ended.run_forever(timeout=PATIENCE)
    assert (ended.read_stdout(), ended.read_stderr(), ended.returncode) == ("out\n", "err\n", 3)
    talk = run("cat", stdin=True, _preload_content=False)
    for word in ("one\n", "two\n"):
        talk.write_stdin(word)
        found = talk.readline_stdout(timeout=PATIENCE)
        assert found == word.strip(), repr(found)
    talk.close()
    data = run("sh", "-c", "head -c 300000 /dev/zero", _preload_content=False, binary=True)
    data.run_forever(timeout=PATIENCE)
    assert data.read_stdout() == bytes(300_000)


@played
def a_process_is_attached_to(namespace: str) -> None:
    core = pod_that_runs(namespace)
    talk = streaming.stream(
        core.connect_get_namespaced_pod_attach,
        "p",
        namespace,
        container="b",
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    assert talk.readline_stdout(timeout=PATIENCE) == "attached to b"
    talk.write_stdin("hello\n")
    assert talk.readline_stdout(timeout=PATIENCE) == "HELLO"
    talk.close()


@played
def ports_are_forwarded(namespace: str) -> None:
    core = pod_that_runs(namespace)
    forwarded = streaming.portforward(
        core.connect_get_namespaced_pod_portforward, "p", namespace, ports="8081,9"
    )
    connection = forwarded.socket(8081)
    connection.setblocking(True)
    connection.settimeout(PATIENCE)
    connection.sendall(b"hello\n")
    found = b""
    while not found.endswith(b"\n"):
        data = connection.recv(1024)
        assert data, "the connection ended"
        found += data
    assert found == b"HELLO\n"
    connection.close()
    until(lambda: forwarded.error(9) is not None, "the refusal of the other port")
    assert "nothing listens on port 9" in forwarded.error(9), forwarded.error(9)


class Informer:
    """Lists and watches as client libraries do: on 410 it lists anew, on a broken connection it watches anew."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.objects: dict[str, str] = {}
        self.version = ""
        self.lists = 0
        self.forced = ""
        self.error = ""
        self._ended = False
        self._core = client.CoreV1Api()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._ended = True

    def _run(self) -> None:
        while not self._ended:
            try:
                if not self.version:
                    self._list()
                self._watch()
            except ApiException as error:
                if error.status != 410:
                    self.error = str(error)
                self.version = ""
            except Exception:  # noqa: BLE001 - the server is away
                time.sleep(0.1)

    def _list(self) -> None:
        found = self._core.list_namespaced_config_map(self.namespace, label_selector="case")
        self.objects = {row.metadata.name: row.data["x"] for row in found.items}
        self.version = found.metadata.resource_version
        self.lists += 1

    def _watch(self) -> None:
        version, self.forced = self.forced or self.version, ""
        for event in watch.Watch().stream(
            self._core.list_namespaced_config_map,
            self.namespace,
            resource_version=version,
            label_selector="case",
            allow_watch_bookmarks=True,
            timeout_seconds=2,
        ):
            row = event["object"]
            if event["type"] == "BOOKMARK":
                self.version = event["raw_object"]["metadata"]["resourceVersion"]
                continue
            self.version = row.metadata.resource_version
            if event["type"] == "DELETED":
                self.objects.pop(row.metadata.name, None)
            else:
                self.objects[row.metadata.name] = row.data["x"]


@case
def an_informer_goes_on_after_a_restart(namespace: str) -> None:
    core, informer = client.CoreV1Api(), Informer(namespace)
    core.create_namespaced_config_map(namespace, config_map("a", x="1"))
    until(lambda: informer.objects == {"a": "1"}, "the first object's being seen")
    need("restart")
    core.patch_namespaced_config_map("a", namespace, {"data": {"x": "2"}})
    core.create_namespaced_config_map(namespace, config_map("b", x="3"))
    until(lambda: informer.objects == {"a": "2", "b": "3"}, "the changes' being seen after a restart")
    informer.stop()
    assert not informer.error, informer.error


@case
def an_informer_lists_anew_when_its_version_is_too_old(namespace: str) -> None:
    core, informer = client.CoreV1Api(), Informer(namespace)
    core.create_namespaced_config_map(namespace, config_map("a", x="1"))
    until(lambda: informer.objects == {"a": "1"}, "the first object's being seen")
    old = informer.version
    for at in range(CHURN):
        core.patch_namespaced_config_map("a", namespace, {"data": {"x": str(at)}})
    until(lambda: informer.objects == {"a": str(CHURN - 1)}, "the last change's being seen")
    lists, informer.forced = informer.lists, old
    until(lambda: informer.lists > lists, "a new list")
    core.delete_namespaced_config_map("a", namespace)
    core.create_namespaced_config_map(namespace, config_map("b", x="2"))
    until(lambda: informer.objects == {"b": "2"}, "the changes' being seen after the list")
    informer.stop()
    assert not informer.error, informer.error


def main() -> int:
    plain, with_pods, *wanted = sys.argv[1:]
    failed = 0
    for number, (name, work) in enumerate(CASES.items()):
        if wanted and name not in wanted:
            continue
        config.load_kube_config(with_pods if name in PLAYED else plain)
        namespace = f"case-{number}"
        try:
            body = client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace))
            client.CoreV1Api().create_namespace(body)
            work(namespace)
            print(f"ok {name}", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is told
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = " ".join(f"{type(error).__name__}: {error}".split())[:600]
            print(f"failed {name}: line {where.lineno}: {text}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
