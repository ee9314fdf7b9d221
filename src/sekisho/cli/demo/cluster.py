"""The part that starts a cluster, applies objects through its API, and stops it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

SEKISHO: Final = (sys.executable, "-m", "sekisho")
READY_SECONDS: Final = 60.0
"""A cluster is ready in one; a machine under load takes longer, and that is not what is shown."""
STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One command of kubectl's: what it shows, its words, its status. ``contains`` must stand in its output;
    until it does, the command is run again for a moment, since controllers take theirs.
    """

    says: str
    words: tuple[str, ...]
    status: int = 0
    contains: tuple[str, ...] = ()


ACTS: Final = (
    Act(
        says="A ValidatingAdmissionPolicy and its binding: images need a version.",
        words=("apply", "-f", "policy.yaml"),
    ),
    Act(
        says="A Deployment of the image web:latest is refused, in kubectl's own words.",
        words=("apply", "-f", "moving.yaml"),
        status=1,
        contains=("images need a version of their own: registry.example.com/web:latest",),
    ),
    Act(
        says="A privileged Pod is refused by the bundle of the policy library: the reason, and the field.",
        words=("apply", "-f", "privileged.yaml"),
        status=1,
        contains=("(at spec.containers[0].securityContext.privileged)",),
    ),
    Act(says="One with a version is taken.", words=("apply", "-f", "web.yaml")),
    Act(
        says="Controllers brought about its ReplicaSet and its Pods.",
        words=("get", "deployment,replicaset,pod"),
        contains=("replicaset.apps/web-", "pod/web-"),
    ),
    Act(
        says="Why the Pods stay Pending: this cluster was started without something that runs them.",
        words=("get", "events", "--field-selector", "reason=FailedScheduling"),
        contains=("FailedScheduling",),
    ),
)
POD_ACTS: Final = (
    Act(
        says="A web server of two Pods and a Job; the image is this machine's root, without its secrets.",
        words=("apply", "-f", "pods.yaml"),
    ),
    Act(
        says="Their init containers and probes.",
        words=("rollout", "status", "deployment/web", "--timeout=30s"),
        contains=("successfully rolled out",),
    ),
    Act(
        says="What the Job wrote.",
        words=("logs", "job/sum"),
        contains=("499500",),
    ),
    Act(
        says="Inside: the Pod's own name, its ConfigMap, and nothing where the host's passwords are.",
        words=(
            *("exec", "deployment/web", "-c", "web", "--"),
            *("sh", "-c", "hostname; cat /www/index.html; wc -c /etc/shadow"),
        ),
        contains=("hello from a sandbox", "0 /etc/shadow"),
    ),
    Act(
        says="A Pod that is labelled as untrusted runs in a sandbox or nowhere.",
        words=("run", "stray", "--image=sekisho.dev/host", "--labels=sandbox.sekisho.dev/untrusted=true"),
        status=1,
        contains=("need runtimeClassName: sekisho",),
    ),
    Act(says="All of it.", words=("get", "pods,jobs", "-o", "wide")),
)
TRIES: Final = 30
PAUSE_SECONDS: Final = 0.2


def play(folder: Path) -> int:
    """Run it in a folder; how many steps did not do what they are there to show."""
    says = "A cluster in a folder, on a free port, guarded by a bundle; the page shows what is found."
    return _play(folder, says, ("--bundle", "pod-security-baseline"), ACTS)


def play_pods(folder: Path) -> int:
    """The same for a cluster that runs Pods."""
    return _play(folder, "A cluster that runs Pods, each container in a sandbox.", ("--node",), POD_ACTS)


def no_pods() -> str:
    """Why this machine cannot show that."""
    from sekisho.node.node import reason_against

    return reason_against() or ("" if shutil.which("kubectl") else "there is no kubectl")


def _play(folder: Path, says: str, more: Sequence[str], acts: Sequence[Act]) -> int:
    words = ("up", *more, "--data", "cluster", "--port", "0", "-o", "json")
    click.echo(f"\n{says}\n$ sekisho {' '.join(words)}")
    sys.stdout.flush()
    server = subprocess.Popen((*SEKISHO, *words), cwd=folder, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        said = _first_line(server)
        if not said:
            click.echo("the cluster does not start", err=True)
            return 1
        click.echo(said, nl=False)
        failed = _act(folder, json.loads(said)["kubeconfig"], acts)
        click.echo("\nCtrl-C ends it; what was stored is there again the next time.")
        server.send_signal(signal.SIGINT)
        status = server.wait(STOP_SECONDS)
        click.echo(f"(exit status {status})")
        return failed + (status != 0)
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _first_line(server: subprocess.Popen[str]) -> str:
    import select

    assert server.stdout is not None
    return server.stdout.readline() if select.select([server.stdout], [], [], READY_SECONDS)[0] else ""


def _act(folder: Path, kubeconfig: str, acts: Sequence[Act]) -> int:
    environment = {**os.environ, "KUBECONFIG": kubeconfig, "KUBECACHEDIR": str(folder / "cache")}
    program = shutil.which("kubectl")
    if program is None:
        click.echo("\nThere is no kubectl on this machine: sekisho's own client does the same.")
        command: Sequence[str] = (sys.executable, "-m", "sekisho.cli.demo.client")
    else:
        command = (program,)
    return sum(not _done(act, command, folder, environment) for act in acts)


def _done(act: Act, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> bool:
    """Run one command and show it; whether it did what it should."""
    click.echo(f"\n{act.says}\n$ kubectl {shlex.join(act.words)}")
    for _ in range(TRIES):
        done = subprocess.run(  # noqa: S603
            (*command, *act.words),
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        good = done.returncode == act.status and all(text in done.stdout for text in act.contains)
        if good:
            break
        time.sleep(PAUSE_SECONDS)
    click.echo(f"{done.stdout.rstrip()}\n(exit status {done.returncode})")
    return good
