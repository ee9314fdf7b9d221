"""The node: what a kubelet does, for the Pods that are bound to it, with ``sekisho-runtime``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sekisho.apiserver.controllers import Controller
from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.controllers.workloads.events import Recorder
from sekisho.apiserver.controllers.workloads.plan import NODES, PODS, Tell
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Event, Place, Row, Stale
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.node import codes, objects
from sekisho.node import pod as pods
from sekisho.node.container import House
from sekisho.node.environment import Find
from sekisho.node.images import Layouts, Pulled, Unpacked
from sekisho.node.pod import PodWorker
from sekisho.node.problems import ConfigProblem
from sekisho.node.process import Runtime
from sekisho.node.rootfs import HostRoot
from sekisho.node.scheduler import Scheduler
from sekisho.node.serve import Serving
from sekisho.node.settings import NodeSettings
from sekisho.sandbox.doctor import examine, gather, why_not

if TYPE_CHECKING:
    from sekisho.apiserver.api import Api

Json = dict[str, Any]
Raw = Mapping[str, Any]

_LOG: Final = logging.getLogger(__name__)

ADDRESS: Final = "127.0.0.1"
"""Where the node is: this machine."""

HEARTBEAT_SECONDS: Final = 10.0
"""How often the Lease is renewed (a quarter of its duration, as kubelets do)."""

LEAST_SECONDS: Final = 600
"""The shortest time that the API gives a token for."""

FINISHED: Final = ("Succeeded", "Failed")


def reason_against() -> str:
    """Why this machine cannot be a node; empty if it can."""
    found = why_not(examine(gather()))
    if not found and os.geteuid():
        return "the containers of a Pod share namespaces, which takes root: start it with sudo"
    return found


class Node:
    """A node. ``controllers`` are run by the cluster; ``serving`` answers logs, exec and the like."""

    name = "kubelet"

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._addresses: dict[str, int] = {}
        self._ready = asyncio.Event()
        self._place = Place(*NODES, "", settings.name)
        self.serving = Serving(self._workers)

    @classmethod
    def of(cls, settings: NodeSettings) -> Node:
        """A node on this machine. Raises DiagnosticError (API020)."""
        why = reason_against()
        if why:
            message = f"this machine cannot run Pods in sandboxes: {why}"
            help = "run `sekisho sandbox doctor`, or start the cluster without --node"
            raise DiagnosticError(Diagnostic(code=codes.NO_NODE, message=message, help=help))
        return cls(settings)

    def controllers(self, api: Api) -> list[Controller]:
        """What gives Pods to it, and what runs them."""
        self._api = api
        self._hand = Hand(api, self.name, agent=self.name)
        self._recorder = Recorder(self._hand, self.name)
        runtime = self._runtime = Runtime(self._settings.folder)
        settings, unpacked = self._settings, Unpacked(self._settings.folder / "images")
        host = HostRoot(settings.host_images, settings.folder.parent)
        self._pulled = Pulled(settings.pull, unpacked)
        images = (host, Layouts(settings.images, unpacked), self._pulled)
        self._house = House(runtime=runtime, images=images)
        return [Scheduler(Hand(api, "default-scheduler", agent="kube-scheduler"), self._settings.name), self]

    async def start(self) -> None:
        """Remove what an earlier life has left, and say that the node is there.

        Raises DiagnosticError (API020).
        """
        await self._runtime.clear()
        shutil.rmtree(self._settings.folder / "pods", ignore_errors=True)
        try:
            await self._say_that_it_is_there()
        except ApiError as error:
            message = f"the cluster refuses its node: {error}"
            help = "let its policies take the Node, or start it with --no-guard"
            raise DiagnosticError(Diagnostic(code=codes.NO_NODE, message=message, help=help)) from None
        self._spawn(self._beat())
        self._ready.set()

    async def _say_that_it_is_there(self) -> None:
        for place, value in objects.BEGIN:
            if self._hand.get(place) is None:
                await self._hand.create(place, value)
        if self._hand.get(self._place) is None:
            await self._hand.create(self._place, objects.node(self._settings.name))
        await self._say_ready()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        return task

    async def stop(self) -> None:
        """End every container; their Pods are started again the next time."""
        for task in (*self._tasks.values(), *self._others):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), *self._others, return_exceptions=True)
        await self._pulled.close()

    # The Node and its Lease.

    async def _say_ready(self) -> None:
        await self._hand.change(
            self._place,
            lambda old: {**old, "status": objects.node_status(old.get("status") or {}, ADDRESS)},
            "status",
        )

    async def _beat(self) -> None:
        place = Place(*objects.LEASES, objects.LEASE_NAMESPACE, self._settings.name)
        while True:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            spec = {
                "holderIdentity": self._settings.name,
                "leaseDurationSeconds": objects.LEASE_SECONDS,
                "renewTime": now,
            }
            with contextlib.suppress(ApiError, Stale):
                if self._hand.get(place) is None:
                    metadata = {"name": place.name, "namespace": place.namespace}
                    await self._hand.create(place, {"metadata": metadata, "spec": spec})
                else:
                    await self._hand.change(place, lambda old: {**old, "spec": spec})  # noqa: B023
            await asyncio.sleep(HEARTBEAT_SECONDS)

    # Pods, as a controller.

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A Pod that is bound to this node."""
        row = event.row
        if row.place.resource == PODS and row.fields.get("spec.nodeName") == self._settings.name:
            yield row.place

    async def reconcile(self, key: Hashable) -> float | None:
        """Start, change or end what runs a Pod."""
        assert isinstance(key, Place)
        await self._ready.wait()  # nothing is begun beside what an earlier life has left
        row = self._hand.get(key)
        for uid, worker in tuple(self._workers.items()):
            metadata = worker.pod["metadata"]
            here = (metadata["namespace"], metadata["name"]) == (key.namespace, key.name)
            if here and (row is None or row.uid != uid):
                self._end(worker, None, 0.0)
        if row is None:
            return None
        pod, worker_ = row.load(), self._workers.get(row.uid)
        if pod["metadata"].get("deletionTimestamp"):
            grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
            if worker_ is None:
                await self._remove(row)
            else:
                self._end(worker_, row, grace)
        elif worker_ is not None:
            worker_.debug(pod)
        elif (pod.get("status") or {}).get("phase") not in FINISHED:
            await self._begin(pod)
        return None

    async def _begin(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        lost = lost_status(pod)
        if lost is not None:
            await self.write(pod, lost)
            return
        place = pods.Place(
            folder=self._settings.folder / "pods" / uid,
            address=self._address(uid),
            host_address=ADDRESS,
            processors=objects.processors(),
            memory=objects.memory(),
        )
        worker = self._workers[uid] = PodWorker(pod, place, self._house, self)
        self._tasks[uid] = asyncio.create_task(self._run(worker), name=pod["metadata"]["name"])

    async def _run(self, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception:  # noqa: BLE001 - one Pod may not end the node
            _LOG.exception("a pod failed: %s", worker.pod["metadata"]["name"])

    def _address(self, uid: str) -> str:
        """An address of 10.244.0.0/16 that no other Pod here has."""
        taken = set(self._addresses.values())
        number = next(number for number in range(2, 65_534) if number not in taken)
        self._addresses[uid] = number
        return f"10.244.{number >> 8}.{number & 255}"

    def _end(self, worker: PodWorker, row: Row | None, grace: float) -> None:
        """Begin to end a Pod, once; a shorter time counts from when it is told."""
        uid = worker.pod["metadata"]["uid"]
        name = f"end {uid} {grace}"
        if not any(task.get_name() == name for task in self._others):
            self._spawn(self._ended(worker, row, grace)).set_name(name)

    async def _ended(self, worker: PodWorker, row: Row | None, grace: float) -> None:
        uid = worker.pod["metadata"]["uid"]
        await worker.stop(grace)
        task = self._tasks.get(uid)
        if task is not None:
            # Whoever waits for an image, a volume or its next start need not be waited for.
            await asyncio.wait([task], timeout=0.2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for table in (self._workers, self._tasks, self._addresses):
            table.pop(uid, None)
        worker.clean()
        if row is not None:
            await self._remove(row)

    async def _remove(self, row: Row) -> None:
        with contextlib.suppress(ApiError, Stale):
            await self._hand.delete(row.place, {"gracePeriodSeconds": 0, "preconditions": {"uid": row.uid}})

    # What Pods ask.

    async def write(self, pod: Raw, status: Json) -> None:
        """Write a Pod's status, if the Pod is there still."""
        metadata = pod["metadata"]
        place = Place(*PODS, metadata["namespace"], metadata["name"])
        row = self._hand.get(place)
        if row is None or row.uid != metadata["uid"]:
            return
        worker = self._workers.get(row.uid)

        def change(old: Json) -> Json:
            if worker is None or status.get("reason"):
                return {**old, "status": status}
            return {**old, "status": worker.status(old)}

        with contextlib.suppress(ApiError, Stale):
            await self._hand.change(place, change, "status")

    async def tell(self, pod: Json, reason: str, message: str, *, bad: bool) -> None:
        """An Event about a Pod."""
        await self._recorder.tell(
            pod, Tell(reason=reason, message=message, type="Warning" if bad else "Normal")
        )

    def finder(self, namespace: str) -> Find:
        """Looks for ConfigMaps and Secrets of a namespace."""

        def find(plural: str, name: str) -> Json | None:
            row = self._hand.get(Place("", plural, namespace, name))
            return row.load() if row is not None else None

        return find

    async def token(self, pod: Raw, audience: str, seconds: int) -> str:
        """A token of a Pod's service account, bound to the Pod. Raises ConfigProblem."""
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName") or "default"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": max(seconds, LEAST_SECONDS), "boundObjectRef": bound}
        if audience:
            spec["audiences"] = [audience]
        place = Place("", "serviceaccounts", metadata["namespace"], account)
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            return str((await self._hand.act(place, "token", asked))["status"]["token"])
        except ApiError as error:
            raise ConfigProblem("FailedMount", f"failed to fetch token: {error}") from None


def lost_status(pod: Raw) -> Json | None:
    """The status of a Pod whose containers were lost with the server and are not started again; else None."""
    status = pod.get("status") or {}
    begun = [row for row in status.get("containerStatuses") or () if row.get("containerID")]
    if not begun or pod["spec"].get("restartPolicy") != "Never":
        return None
    unknown = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the node was started again",
        "startedAt": None,
        "finishedAt": None,
    }
    rows = []
    for row in status.get("containerStatuses") or ():
        ended = (row.get("state") or {}).get("terminated") or unknown
        rows.append({**row, "ready": False, "started": False, "state": {"terminated": ended}})
    return {**status, "phase": "Failed", "containerStatuses": rows}
