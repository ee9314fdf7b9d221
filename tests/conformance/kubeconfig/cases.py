"""The kubeconfigs: a case a row, made for the servers of a run."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.kubeconfig.servers import NAME, World

Raw = dict[str, Any]

SAFER = "we refuse what kubectl does, since credentials would be given to whoever is in between"
EMPTY = "an empty document before the first is passed over"
PASSWORDS = "the API server knows no passwords since Kubernetes 1.19; kubectl still sends them"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Files by their paths (values as JSON, texts as they are), what KUBECONFIG lists, and flags.

    ``differs`` says why one of the two refuses what the other takes; empty where both must do the same.
    """

    name: str
    files: Mapping[str, Any]
    listed: tuple[str, ...] = ("config",)
    flags: Mapping[str, str] = field(default_factory=dict)
    differs: str = ""


def b64(text: str) -> str:
    """Base64, as the fields with -data have it."""
    return base64.b64encode(text.encode()).decode()


class Maker:
    """Makes kubeconfigs for a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def cluster(self, **fields: Any) -> Raw:
        """A cluster that works."""
        return {
            "server": self.world.url,
            "certificate-authority-data": b64(self.world.ca),
            **fields,
        }

    def config(
        self,
        *,
        cluster: Any = None,
        user: Any = None,
        context: Any = None,
        **parts: Any,
    ) -> Raw:
        """A whole file with one entry of each kind."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "clusters": [{"name": "c", "cluster": self.cluster() if cluster is None else cluster}],
            "users": [{"name": "u", "user": {"token": "t0k3n"} if user is None else user}],
            "contexts": [{"name": "x", "context": context or {"cluster": "c", "user": "u"}}],
            **parts,
        }

    def plugin(self, version: str, status: Raw | None, **fields: Any) -> Raw:
        """An exec plugin that answers so, or with what it was told where the status is None."""
        api = f"client.authentication.k8s.io/{version}"
        answer = {"apiVersion": fields.pop("answered", api), "kind": "ExecCredential", "status": status}
        script = 'printf %s "$ANSWER"'
        if status is None:
            script = (
                'printf \'{"apiVersion":"%s","kind":"ExecCredential","status":{"token":"%s"}}\' '
                '"$API" "$(printf %s "$KUBERNETES_EXEC_INFO" | base64 -w0)"'
            )
        env = [{"name": "ANSWER", "value": json.dumps(answer)}, {"name": "API", "value": api}]
        row: Raw = {"apiVersion": api, "command": "sh", "args": ["-c", script], "env": env}
        return {**row, "interactiveMode": "IfAvailable", **fields}


def all_cases(world: World) -> list[Case]:
    """Every written case."""
    make = Maker(world)
    return [case for part in PARTS for case in part(make)]


def _one(name: str, config: Any, **more: Any) -> Case:
    files = {"config": config, **more.pop("files", {})}
    return Case(name=name, files=files, **more)


def _users(make: Maker) -> Iterator[Case]:
    client = make.world.client
    pair = {"client-certificate-data": b64(client.certificate), "client-key-data": b64(client.key)}
    users: list[tuple[str, Raw, Raw]] = [
        ("a token", {"token": "t0k3n"}, {}),
        ("nobody", {}, {}),
        ("a token from a file", {"tokenFile": "sub/token"}, {"sub/token": "from-file\n"}),
        ("a token from a file before one", {"tokenFile": "token", "token": "x"}, {"token": "from-file"}),
        ("a token since its file is missing", {"tokenFile": "missing", "token": "x"}, {}),
        ("a file with a token that is missing", {"tokenFile": "missing"}, {}),
        ("an empty file with a token", {"tokenFile": "token"}, {"token": ""}),
        ("a certificate", pair, {}),
        ("a certificate and a token", {**pair, "token": "t0k3n"}, {}),
        (
            "a certificate from files",
            {"client-certificate": "a.pem", "client-key": "./b.pem"},
            {"a.pem": client.certificate, "b.pem": client.key},
        ),
        (
            "a certificate before its file",
            {**pair, "client-certificate": "missing.pem", "client-key": "missing.pem"},
            {},
        ),
        ("a certificate whose file is missing", {"client-certificate": "m", "client-key": "m"}, {}),
        ("a certificate without a key", {"client-certificate-data": b64(client.certificate)}, {}),
        ("a certificate that is none", {**pair, "client-certificate-data": b64("x")}, {}),
        ("data that is no base64", {**pair, "client-certificate-data": "not base64!"}, {}),
        ("a token that is a number", {"token": 7}, {}),
        ("an unknown field", {"token": "t0k3n", "colour": "red"}, {}),
    ]
    for name, user, files in users:
        yield _one(name, make.config(user=user), files=files)
    yield _one("a password", make.config(user={"username": "a", "password": "b"}), differs=PASSWORDS)
    yield _one("a provider", make.config(user={"auth-provider": {"name": "gcp"}}))


def _impersonation(make: Maker) -> Iterator[Case]:
    user = {"token": "t0k3n", "as": "eve"}
    rows: list[tuple[str, Raw]] = [
        ("acting as somebody", user),
        ("acting with groups", {**user, "as-groups": ["g1"], "as-uid": "7"}),
        ("acting with extras", {**user, "as-user-extra": {"Example.com/Scopes": ["a"], "k%": ["b"]}}),
        ("groups of nobody", {"token": "t0k3n", "as-groups": ["g1"]}),
        ("a uid of nobody", {"token": "t0k3n", "as-uid": "7"}),
    ]
    for name, row in rows:
        yield _one(name, make.config(user=row))
    yield _one("acting by a flag", make.config(), flags={"as": "eve"})
    yield _one("a flag before the file", make.config(user=user), flags={"as": "mallory"})


def _clusters(make: Maker) -> Iterator[Case]:
    world = make.world
    rows: list[tuple[str, Raw, Raw]] = [
        ("a bundle from a file", {"certificate-authority": "ca.pem"}, {"ca.pem": world.ca}),
        ("a bundle that is missing", {"certificate-authority": "ca.pem"}, {}),
        ("a bundle that is none", {"certificate-authority-data": b64("x")}, {}),
        ("another's bundle", {"certificate-authority-data": b64(world.other_ca)}, {}),
        ("a bundle among others", {"certificate-authority-data": b64(world.other_ca + world.ca)}, {}),
        ("no bundle", {"certificate-authority-data": ""}, {}),
        ("no server", {"server": ""}, {}),
        ("a server with a path", {"server": f"{world.url}/k8s/clusters/c-1/"}, {}),
        ("a server by its name", {"server": world.url.replace("127.0.0.1", "localhost")}, {}),
        ("another name", {"server": world.named_url}, {}),
        ("another name that is told", {"server": world.named_url, "tls-server-name": NAME}, {}),
        ("a wrong name that is told", {"tls-server-name": "wrong.example"}, {}),
        ("a proxy", {"proxy-url": world.proxy}, {}),
        ("a proxy that is none", {"proxy-url": "http://127.0.0.1:9"}, {}),
        ("a proxy of another kind", {"proxy-url": "ftp://127.0.0.1:9"}, {}),
        ("a server that is a number", {"server": 7}, {}),
        ("verifying, and saying so", {"insecure-skip-tls-verify": False}, {}),
    ]
    for name, fields, files in rows:
        cluster = make.cluster(**fields)
        if "certificate-authority" in fields:
            del cluster["certificate-authority-data"]
        yield _one(name, make.config(cluster=cluster), files=files)
    insecure = {"server": world.url, "insecure-skip-tls-verify": True}
    yield _one("not verifying", make.config(cluster=insecure), differs=SAFER)
    both = make.cluster(**{"insecure-skip-tls-verify": True})
    yield _one("not verifying, with a bundle", make.config(cluster=both))
    plain = {"server": world.plain_url}
    yield _one("plain text", make.config(cluster=plain, user={}))
    yield _one("a token in plain text", make.config(cluster=plain), differs=SAFER)


def _contexts(make: Maker) -> Iterator[Case]:
    rows: list[tuple[str, Raw]] = [
        ("no current context", make.config(**{"current-context": ""})),
        ("a current context that is not there", make.config(**{"current-context": "y"})),
        ("a cluster that is not there", make.config(clusters=[])),
        ("a user that is not there", make.config(users=[])),
        ("a context without a user", make.config(context={"cluster": "c"})),
        ("a context without a cluster", make.config(context={"user": "u"})),
        ("a namespace", make.config(context={"cluster": "c", "user": "u", "namespace": "shop"})),
        ("an entry without a name", make.config(users=[{"user": {}}, {"name": "u", "user": {"token": "z"}}])),
        ("an entry without a value", make.config(users=[{"name": "u"}])),
        (
            "two entries of one name",
            make.config(
                users=[{"name": "u", "user": {"token": "first"}}, {"name": "u", "user": {"token": "second"}}]
            ),
        ),
        ("contexts that are no list", make.config(contexts={"x": {}})),
        (
            "no kind",
            {key: value for key, value in make.config().items() if key not in ("kind", "apiVersion")},
        ),
        ("another version", {**make.config(), "apiVersion": "v2"}),
        ("another kind", {**make.config(), "kind": "Pod"}),
        (
            "preferences and extensions",
            {
                **make.config(),
                "preferences": {"colors": True},
                "extensions": [{"name": "e", "extension": {"a": 1}}],
            },
        ),
    ]
    for name, config in rows:
        yield _one(name, config)
    two = make.config()
    two["contexts"].append({"name": "y", "context": {"cluster": "c", "user": "w", "namespace": "other"}})
    two["users"].append({"name": "w", "user": {"token": "second"}})
    flags: list[Mapping[str, str]] = [
        {"context": "y"},
        {"user": "w"},
        {"namespace": "n"},
        {"context": "y", "namespace": "n"},
        {"context": "none"},
        {"cluster": "none"},
        {"user": "none"},
        {"server": make.world.named_url},
        {"server": make.world.url, "context": "y"},
    ]
    for row in flags:
        yield _one(
            "flags: " + " ".join(f"--{key}" for key in row) + f" {next(iter(row.values()))[:5]}",
            two,
            flags=row,
        )


def _texts(make: Maker) -> Iterator[Case]:
    good = json.dumps(make.config())
    rows = [
        ("JSON", good),
        ("nothing", ""),
        ("comments only", "# nothing\n"),
        ("broken YAML", "clusters: [\n"),
        ("tabs", "a:\n\t- b\n"),
        ("a list", "[]"),
        ("a text", "hello"),
        ("two documents", f"{good}\n---\n{good.replace('t0k3n', 'second')}"),
        ("an empty first document", f"---\n---\n{good}"),
        ("a key twice", good[:-1] + ', "current-context": "y"}'),
        ("an alias", good[:-1] + ', "x": &a {}, "y": *a}'),
        ("a mark at the beginning", "\ufeff" + good),
    ]
    for name, text in rows:
        yield _one(f"text: {name}", text, differs=EMPTY if "empty first" in name else "")


def _merges(make: Maker) -> Iterator[Case]:
    whole = make.config()
    second = make.config(user={"token": "second"}, **{"current-context": "y"})
    parts = {
        "a": {"users": whole["users"]},
        "b": {"clusters": whole["clusters"], "current-context": "x"},
        "c": {"contexts": whole["contexts"], "current-context": "no"},
    }
    file = make.config(user={"tokenFile": "token"})
    yield Case(name="the first entry counts", files={"a": whole, "b": second}, listed=("a", "b"))
    yield Case(name="the other order", files={"a": whole, "b": second}, listed=("b", "a"))
    yield Case(name="parts in three files", files=parts, listed=("a", "b", "c"))
    yield Case(name="a file that is missing", files={"a": whole}, listed=("missing", "a"))
    yield Case(name="all files are missing", files={}, listed=("missing", "gone"))
    yield Case(name="an empty file among others", files={"a": "", "b": whole}, listed=("a", "b"))
    yield Case(name="a broken file among others", files={"a": "{", "b": whole}, listed=("a", "b"))
    yield Case(name="one file twice", files={"a": whole}, listed=("a", "a"))
    yield Case(
        name="paths belong to their file",
        files={
            "one/config": {"users": file["users"]},
            "one/token": "right",
            "two/config": whole,
            "two/token": "wrong",
        },
        listed=("one/config", "two/config"),
    )
    yield Case(name="a folder", files={"d/x": ""}, listed=("d",))


def _plugins(make: Maker) -> Iterator[Case]:
    client = make.world.client
    pair = {"clientCertificateData": client.certificate, "clientKeyData": client.key}
    later, before = "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
    for version in ("v1", "v1beta1"):
        rows: list[tuple[str, Raw | None, Raw]] = [
            ("gives a token", {"token": "abc"}, {}),
            ("gives a certificate", pair, {}),
            ("gives both", {**pair, "token": "abc"}, {}),
            ("gives a token that holds", {"token": "abc", "expirationTimestamp": later}, {}),
            ("gives a token that expired", {"token": "abc", "expirationTimestamp": before}, {}),
            ("gives nothing", {}, {}),
            ("gives half a certificate", {"clientKeyData": client.key}, {}),
            ("gives no certificate", {**pair, "clientCertificateData": "x"}, {}),
            ("is told little", None, {}),
            ("is told of the cluster", None, {"provideClusterInfo": True}),
            ("must not ask", {"token": "abc"}, {"interactiveMode": "Never"}),
            ("must ask", {"token": "abc"}, {"interactiveMode": "Always"}),
            ("asks in an unknown way", {"token": "abc"}, {"interactiveMode": "Perhaps"}),
            ("does not say whether it asks", {"token": "abc"}, {"interactiveMode": ""}),
            (
                "answers in another version",
                {"token": "abc"},
                {"answered": "client.authentication.k8s.io/v1alpha1"},
            ),
            ("is not there", {"token": "abc"}, {"command": "no-such-program", "installHint": "get it"}),
            ("fails", {"token": "abc"}, {"args": ["-c", "exit 3"]}),
            ("prints nothing", {"token": "abc"}, {"args": ["-c", "true"]}),
            ("prints something else", {"token": "abc"}, {"args": ["-c", "echo hello"]}),
            ("has no command", {"token": "abc"}, {"command": ""}),
            ("is beside a token", {"token": "abc"}, {"beside": {"token": "fixed"}}),
        ]
        for name, status, fields in rows:
            beside = fields.pop("beside", {})
            user = {"exec": make.plugin(version, status, **fields), **beside}
            yield _one(f"plugin {version} {name}", make.config(user=user))
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a", "n": 1}}
    cluster = make.cluster(extensions=[extension, {"name": "other", "extension": {}}])
    told = make.plugin("v1", None, provideClusterInfo=True)
    yield _one("plugin v1 is told of an extension", make.config(cluster=cluster, user={"exec": told}))
    named = make.cluster(server=make.world.named_url, **{"tls-server-name": NAME})
    yield _one("plugin v1 is told of a name", make.config(cluster=named, user={"exec": told}))
    alpha = make.plugin("v1alpha1", {"token": "abc"})
    yield _one("plugin v1alpha1", make.config(user={"exec": alpha}))
    script = '#!/bin/sh\nprintf %s "$ANSWER"\n'
    near = make.plugin("v1", {"token": "near"}, command="./bin/plug", args=[])
    yield _one("plugin v1 beside its file", make.config(user={"exec": near}), files={"bin/plug": script})


PARTS: tuple[Callable[[Maker], Iterator[Case]], ...] = (
    _users,
    _impersonation,
    _clusters,
    _contexts,
    _texts,
    _merges,
    _plugins,
)


def generated(world: World, count: int, seed: int) -> Iterator[Case]:
    """Files made by chance: entries of few names in one to three files, some of them broken."""
    make, dice = Maker(world), random.Random(seed)
    names = ["a", "b"]
    for number in range(count):
        files: dict[str, Any] = {}
        for file in range(dice.choice([1, 2, 2, 3])):
            clusters = [
                {"name": name, "cluster": make.cluster(**dice.choice([{}, {}, {"proxy-url": world.proxy}]))}
                for name in names
                if dice.random() < 0.7
            ]
            users = [
                {"name": name, "user": dice.choice([{"token": f"t{file}{name}"}, {"tokenFile": "token"}])}
                for name in names
                if dice.random() < 0.7
            ]
            contexts = [
                {
                    "name": name,
                    "context": {
                        "cluster": dice.choice(names),
                        "user": dice.choice([*names, ""]),
                        **dice.choice([{}, {"namespace": f"n{file}"}]),
                    },
                }
                for name in names
                if dice.random() < 0.7
            ]
            current = dice.choice([*names, *names, "", "no"])
            folder = dice.choice(["", "one/", "two/"])
            files[f"{folder}config{file}"] = {
                "current-context": current,
                "clusters": clusters,
                "users": users,
                "contexts": contexts,
            }
            files[f"{folder}token"] = f"from-{folder}"
        listed = tuple(name for name in files if "config" in name)
        flags = dice.choice([{}, {}, {"context": dice.choice(names)}, {"user": dice.choice(names)}])
        yield Case(name=f"generated {seed}/{number}", files=files, listed=listed, flags=flags)
