"""Record what a real kube-apiserver says of objects that break its rules.

    python tools/record_validation.py URL TOKEN [OUTPUT]

The server is one of an empty cluster, the token an administrator's. The cases are
``tests/unit/apiserver/validation/cases.yaml``; OUTPUT is ``recorded.json.gz`` beside them without a path.
Creations are dry runs; what is to be changed is created, changed, and deleted.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import yaml

from sekisho.kube.gvk import BUILT_IN, GVK

FOLDER = Path(__file__).parents[1] / "tests" / "unit" / "apiserver" / "validation"


class Server:
    """A server that is asked as its administrator."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, sent, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self._tls) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


def changed(value: dict[str, Any], rows: dict[str, Any]) -> dict[str, Any]:
    """The object with values set at dotted paths; None deletes."""
    found = copy.deepcopy(value)
    for path, new in rows.items():
        steps = [int(step) if step.isdigit() else step for step in path.split(".")]
        at: Any = found
        for step in steps[:-1]:
            at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
        last = steps[-1]
        if isinstance(at, list) and last == len(at):
            at.append(new)
        elif new is None:
            del at[last]
        else:
            at[last] = new
    return found


def path_of(value: dict[str, Any]) -> str:
    gvk = GVK.of(value["apiVersion"], value["kind"])
    info = BUILT_IN.find(gvk.group, gvk.kind)
    assert info is not None
    root = f"/apis/{value['apiVersion']}" if gvk.group else f"/api/{gvk.version}"
    return f"{root}/namespaces/default/{info.plural}" if info.namespaced else f"{root}/{info.plural}"


def play_steps(bases: dict[str, Any], case: dict[str, Any], number: int) -> Generator[Any, Any, list[Any]]:
    """The requests of a case; it is sent the answers. Returns what is said to the last one that counts."""
    value = changed(bases[case["base"]], case.get("set", {}))
    if "then" in case:
        value["metadata"]["name"] += f"-{number}"
    path = path_of(value)
    if "then" not in case:
        return said(*(yield "POST", f"{path}?dryRun=All", value))
    code, made = yield "POST", path, value
    if code != 201:
        return said(code, made)
    name = f"{path}/{made['metadata']['name']}"
    code, answer = yield "PUT", name, changed(made, case["then"])
    yield "DELETE", name, {"gracePeriodSeconds": 0}
    return said(code, answer)


def play(server: Any, bases: dict[str, Any], case: dict[str, Any], number: int) -> list[Any]:
    """A case against a server."""
    steps = play_steps(bases, case, number)
    request = next(steps)
    while True:
        try:
            request = steps.send(server(*request))
        except StopIteration as end:
            return end.value


def said(code: int, answer: Any) -> list[Any]:
    if code < 300:
        return [code, "", []]
    return [code, answer["message"], (answer.get("details") or {}).get("causes", [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("output", type=Path, nargs="?", default=FOLDER / "recorded.json.gz")
    options = parser.parse_args()
    server = Server(options.url, options.token)
    told = yaml.safe_load((FOLDER / "cases.yaml").read_text(encoding="utf-8"))
    rows = [play(server, told["bases"], case, number) for number, case in enumerate(told["cases"])]
    version = server("GET", "/version")[1]["gitVersion"]
    text = json.dumps({"version": version, "rows": rows}, separators=(",", ":"))
    with options.output.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())
    print(f"{len(rows)} cases, {version}")


if __name__ == "__main__":
    main()
