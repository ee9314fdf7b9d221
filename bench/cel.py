"""Twenty expressions on a Pod, beside the CEL project's C++ runtime: ``python -m bench.cel``.

A review is what an admission controller does: it has a new object, and evaluates all expressions on it. The
C++ runtime converts the object for its activation; here it is used where it is. Both have compiled before.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from bench.rego_cases import container, pod

import sekisho.cel as cel
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.types import DYN

EXPRESSIONS = (
    "object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))",
    "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
    "object.spec.containers.all(c, c.image.contains(':') || c.image.contains('@'))",
    "!has(object.spec.hostNetwork) || object.spec.hostNetwork == false",
    "!has(object.spec.hostPID) || !object.spec.hostPID",
    "object.spec.containers.all(c, !has(c.securityContext.privileged) || !c.securityContext.privileged)",
    "object.spec.containers.all(c, has(c.securityContext) && c.securityContext.runAsUser > 0)",
    "object.spec.containers.all(c, has(c.resources.limits) && 'memory' in c.resources.limits)",
    "object.spec.containers.all(c, has(c.readinessProbe) && has(c.livenessProbe))",
    "object.spec.containers.exists(c, has(c.ports) && c.ports.exists(p, p.containerPort == 8080))",
    "object.spec.containers.all(c, c.securityContext.capabilities.drop.exists(d, d == 'ALL'))",
    "'app' in object.metadata.labels && object.metadata.labels['app'] != ''",
    "object.metadata.labels.all(k, k.matches('^[a-z][a-z0-9./-]*$'))",
    "has(object.metadata.labels.owner) && object.metadata.labels.owner.endsWith('.example.com')",
    "object.metadata.namespace in ['shop', 'web', 'team']",
    "size(object.spec.containers) <= 10",
    "object.spec.containers.filter(c, has(c.env)).map(c, size(c.env)).all(n, n < 50)",
    "object.spec.containers.all(c, c.env.all(e, !e.name.startsWith('AWS_')))",
    "object.metadata.name.size() <= 63 && object.metadata.name == object.metadata.name.lowerAscii()",
    "object.spec.containers.exists_one(c, c.name == 'app') || object.kind != 'Pod'",
)

POD = pod(container("app"), container("sidecar"), container("agent"))

SECONDS = 1.5


def timed(work: Callable[[], object]) -> float:
    """Microseconds of one call, the best of five stretches."""
    count, best = 10, float("inf")
    while True:
        start = time.perf_counter()
        for _ in range(count):
            work()
        seconds = time.perf_counter() - start
        if seconds > SECONDS / 10:
            break
        count *= 2
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - start) / count)
    return best * 1e6


def ours() -> Callable[[dict[str, Any]], list[Any]]:
    environment = kubernetes_environment(variables={"object": DYN})
    programs = [cel.compile(expression, environment) for expression in EXPRESSIONS]
    bounds = cel.Bounds(cost=10_000_000)

    def review(item: dict[str, Any]) -> list[Any]:
        activation = {"object": item}
        return [program.eval(activation, bounds=bounds) for program in programs]

    return review


def theirs() -> Callable[[dict[str, Any]], list[Any]] | None:
    """The C++ runtime, if it is installed."""
    try:
        from cel_expr_python import cel as runtime
        from cel_expr_python.ext import ext_strings
    except ImportError:
        return None
    environment = runtime.NewEnv(
        variables={"object": runtime.Type.DYN}, extensions=[ext_strings.ExtStrings()]
    )
    compiled = [environment.compile(expression) for expression in EXPRESSIONS]

    def review(item: dict[str, Any]) -> list[Any]:
        activation = environment.Activation({"object": item})
        return [expression.eval(activation).plain_value() for expression in compiled]

    return review


def main() -> int:
    mine, peer = ours(), theirs()
    values = mine(POD)
    own = timed(lambda: mine(POD))
    print(f"{len(EXPRESSIONS)} expressions on a Pod of three containers, with all that a review takes")
    print(f"{'sekisho':24} {own:8.1f} µs")
    if peer is None:
        print(
            "cel-expr-python is not installed (tools/peers.sh does it): its figures are left out",
            file=sys.stderr,
        )
        return 0
    assert peer(POD) == values
    other = timed(lambda: peer(POD))
    print(f"{'cel-expr-python (C++)':24} {other:8.1f} µs  {other / own:.1f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
