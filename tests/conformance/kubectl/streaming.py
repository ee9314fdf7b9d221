"""Rows of commands that stream: logs, exec, attach, cp, port-forward, run -i, debug.

Pods are played (``tests.simulators.played``). kubectl speaks SPDY/3.1 and, since 1.29 for commands and 1.30 for
ports, WebSockets; a row that streams both ways is driven over each.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from functools import partial

from tests.conformance.kubectl.driver import Kubectl
from tests.conformance.kubectl.rows import ROWS, Row, Work

LOGS, STREAMS = "logs", "streams"

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: web LABELS}}
spec: {nodeName: played, containers: [{name: a, image: x, stdin: true}MORE]}
"""

SWITCHES = {
    "portforward": ("KUBECTL_PORT_FORWARD_WEBSOCKETS", 30),
    "": ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", 29),
}
"""What switches WebSockets on and off, and the first minor version that has the switch."""


def played(command: str) -> Callable[[Work], Work]:
    """Make a function a row of logs."""

    def decorate(work: Work) -> Work:
        ROWS.append(Row(LOGS, command, work, played=True))
        return work

    return decorate


def streamed(command: str, subresource: str) -> Callable[[Work], Work]:
    """Make a function two rows, one for each protocol, which must be the one that is used."""
    switch, since = SWITCHES.get(subresource, SWITCHES[""])

    def decorate(work: Work) -> Work:
        for protocol, word, value, first in (
            ("SPDY", "spdy/3.1", "false", 27),
            ("WebSocket", "websocket", "true", since),
        ):

            def over(k: Kubectl, word: str, value: str) -> None:
                before = len(k.upgrades())
                k.environment[switch] = value
                work(k)
                used = set(k.upgrades()[before:])
                assert used == {f"{subresource} {word}"}, used

            both = partial(over, word=word, value=value)
            ROWS.append(Row(STREAMS, f"{command} ({protocol})", both, first, played=True))
        return work

    return decorate


def pod(k: Kubectl, name: str = "p", *, more: str = "", labels: str = "") -> None:
    """A Pod that runs."""
    text = POD.replace("NAME", name).replace("MORE", more).replace(" LABELS", labels)
    k.ok("create -f -", stdin=text)
    k.ok(f"wait --for=condition=Ready pod/{name} --timeout=20s")


TWO = ", {name: b, image: x}"


@played("logs")
def logs(k: Kubectl) -> None:
    pod(k)
    assert k.ok("logs p") == "a one\na two\na three\n"
    assert k.ok("logs p --tail=1") == "a three\n"
    assert k.ok("logs p --tail=0") == ""
    assert k.ok("logs p --limit-bytes=5") == "a one"
    k.fails("logs nope", "NotFound")


@played("logs --follow")
def logs_follow(k: Kubectl) -> None:
    pod(k)
    assert k.ok("logs -f p") == "a one\na two\na three\na four\na five\n"
    assert k.ok("logs -f p --tail=1") == "a three\na four\na five\n"


@played("logs --since, --since-time, --timestamps")
def logs_since(k: Kubectl) -> None:
    pod(k)
    assert k.ok("logs p --since=90m") == "a two\na three\n"
    stamped = k.ok("logs p --timestamps").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z a ", line) for line in stamped), stamped
    # the first line's own second has passed when the log is made anew, an hour and more after it
    assert k.ok(f"logs p --since-time={stamped[1].split()[0][:16]}:00Z") == "a two\na three\n"
    k.fails("logs p --since=1s --since-time=2020-01-01T00:00:00Z", "only one of|at most one of")


@played("logs --previous")
def logs_previous(k: Kubectl) -> None:
    pod(k)
    k.fails("logs p --previous", 'previous terminated container "a" in pod "p" not found')
    pod(k, "again", labels=', restarted: ""')
    assert k.ok("logs -p again") == "a before\n"


@played("logs -c, --all-containers, --prefix")
def logs_containers(k: Kubectl) -> None:
    pod(k, more=TWO)
    k.ok("logs p -c b", "^b one$")
    k.fails("logs p -c nope", "container nope is not valid for pod p")
    k.ok("logs p --all-containers --tail=1", "^a three$", "^b three$")
    k.ok("logs p --all-containers --prefix", r"^\[pod/p/a\] a one$", r"^\[pod/p/b\] b three$")


@played("logs -l SELECTOR, logs deployment/NAME")
def logs_selected(k: Kubectl) -> None:
    pod(k, "one")
    pod(k, "two")
    assert k.ok("logs -l app=web --prefix --tail=1").count("three") == 2
    assert k.ok("logs -f -l app=web --prefix").count("five") == 2
    deployment = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {d: dd}}
  template:
    metadata: {labels: {d: dd}}
    spec: {nodeName: played, containers: [{name: a, image: x}]}
"""
    k.ok("create -f -", stdin=deployment)
    k.ok("rollout status deployment/d --timeout=20s")
    assert k.ok("logs deployment/d --tail=1").endswith("a three\n")


@streamed("exec", "exec")
def exec_command(k: Kubectl) -> None:
    pod(k, more=TWO)
    assert k.ok("exec p -c a -- echo x y") == "x y\n"
    done = k.run("exec p -c b -- sh -c 'echo out; echo err >&2'")
    assert (done.code, done.out, done.err) == (0, "out\n", "err\n"), done
    k.fails("exec p -c a -- sh -c 'exit 42'", "command terminated with exit code 42", code=42)
    k.fails("exec p -c a -- no-such-program", 'exec: "no-such-program": executable file not found')
    big = k.ok("exec p -c a -- head -c 3000000 /dev/zero")
    assert len(big) == 3_000_000, len(big)
    k.run("exec p -- echo x")  # the first container, with a word about it


@streamed("exec --stdin", "exec")
def exec_stdin(k: Kubectl) -> None:
    pod(k)
    text = "".join(f"line {number}\n" for number in range(50_000))
    assert k.ok("exec -i p -- cat", stdin=text) == text
    assert k.ok("exec -i p -- wc -l", stdin=text).strip() == "50000"
    assert k.ok("exec p -- wc -c", stdin=text).strip() == "0"


@streamed("exec --stdin --tty", "exec")
def exec_terminal(k: Kubectl) -> None:
    pod(k)
    with k.terminal("exec -it p -- sh", columns=91, rows=33) as shell:
        shell.expect(r"[$#] $")
        shell.type("tty -s && echo a-$((1+1))\r")
        shell.expect("a-2")
        shell.type("until stty size | grep '33 91'; do sleep 0.1; done\r")
        shell.expect(r"33 91\r")
        shell.resize(columns=70, rows=20)
        shell.type("until stty size | grep '20 70'; do sleep 0.1; done\r")
        shell.expect(r"20 70\r")
        shell.type("exit 7\r")
        shell.expect("exit code 7")
    assert shell.code == 7, shell.code


@streamed("attach", "attach")
def attach(k: Kubectl) -> None:
    pod(k, more=TWO)
    k.ok("attach p -c b", "attached to b")
    done = k.ok("attach -i p -c a", stdin="hello\n")
    assert done.endswith("attached to a\nHELLO\n"), done


@streamed("cp", "exec")
def copy(k: Kubectl) -> None:
    pod(k)
    for name in ("tree/one", "tree/deep/two", "tree/deep/empty"):
        k.file(name, "" if name.endswith("empty") else f"{name}\n" * 30_000)
    k.ok("cp tree p:there")
    k.ok("exec p -- find there -type f", "there/one", "there/deep/two", "there/deep/empty")
    k.ok("cp p:there back")
    for name in ("one", "deep/two", "deep/empty"):
        assert (k.folder / "back" / name).read_bytes() == (k.folder / "tree" / name).read_bytes(), name
    k.ok("cp tree/one p:single")
    k.ok("cp p:single single")
    assert (k.folder / "single").read_bytes() == (k.folder / "tree/one").read_bytes()
    k.run("cp p:nope nope")  # kubectl's status is 0 all the same, and what tar says is not always told
    assert not (k.folder / "nope").exists()


@streamed("port-forward", "portforward")
def port_forward(k: Kubectl) -> None:
    pod(k)
    with k.background("port-forward pod/p :8080") as wait:
        found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", wait(r"127\.0\.0\.1:\d+ -> 8080"))
        assert found is not None
        port = int(found[1])
        answers: dict[int, bytes] = {}
        threads = [threading.Thread(target=lambda n=n: answers.update({n: shout(port, n)})) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert answers == {n: said(n).upper() for n in range(8)}, {n: len(row) for n, row in answers.items()}


def said(number: int) -> bytes:
    """What one connection says: many frames of it."""
    return f"connection {number}\n".encode() * 20_000


def shout(port: int, number: int) -> bytes:
    """Say everything, close that half, and read the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(said(number))
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while data := connection.recv(65_536):
            found += data
        return found


@streamed("port-forward (nobody listens, services)", "portforward")
def port_forward_refused(k: Kubectl) -> None:
    pod(k)
    k.ok("create service clusterip s --tcp=80:8080")
    k.ok("set selector service s app=web")
    with k.background("port-forward svc/s :80") as wait:
        found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", wait(r"127\.0\.0\.1:\d+ -> 8080"))
        assert found is not None
        assert shout(int(found[1]), 1) == said(1).upper()
    with k.background("port-forward pod/p :9") as wait:
        found = re.search(r"127\.0\.0\.1:(\d+) -> 9", wait(r"127\.0\.0\.1:\d+ -> 9"))
        assert found is not None
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=20):
            wait("error forwarding port 9 to pod: nothing listens on port 9")


@streamed("run --stdin --rm", "attach")
def run_attached(k: Kubectl) -> None:
    place = '{"spec":{"nodeName":"played"}}'
    done = k.ok(
        f"run once -i --rm --restart=Never --image=x --overrides='{place}' --pod-running-timeout=20s",
        'pod "once" deleted',
        stdin="hello\n",
    )
    assert "attached to once\nHELLO\n" in done, done
    k.fails("get pod once", "NotFound")


@streamed("debug --stdin", "attach")
def debug(k: Kubectl) -> None:
    pod(k)
    done = k.ok("debug pod/p -i --image=x --container=dbg --profile=general -- cat", stdin="hello\n")
    assert "attached to dbg\nHELLO\n" in done, done
