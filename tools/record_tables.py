"""Record the Tables of a real kube-apiserver: ``tests/unit/apiserver/tables/recorded.json.gz``.

    python tools/record_tables.py URL TOKEN

The server is one of an empty cluster, the token an administrator's. Every object of ``objects.yaml`` beside
the recording is created, its status written, and its Table read with the whole object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import ssl
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sekisho.kube.gvk import BUILT_IN, GVK

FOLDER = Path(__file__).parents[1] / "tests" / "unit" / "apiserver" / "tables"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class Server:
    """A server that is asked as its administrator."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def __call__(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> Any:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": accept,
            "Content-Type": "application/json",
        }
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, sent, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self._tls) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.read().decode()}") from None


def path_of(value: dict[str, Any]) -> str:
    gvk = GVK.of(value["apiVersion"], value["kind"])
    info = BUILT_IN.find(gvk.group, gvk.kind)
    assert info is not None
    root = f"/apis/{value['apiVersion']}" if gvk.group else f"/api/{gvk.version}"
    return f"{root}/namespaces/default/{info.plural}" if info.namespaced else f"{root}/{info.plural}"


def record(server: Server, value: dict[str, Any]) -> dict[str, Any]:
    path = path_of(value)
    status = value.pop("status", None)
    made = server("POST", path, value)
    name = f"{path}/{made['metadata']['name']}"
    if status is not None:
        made = server("GET", name)
        made["status"] = {**made.get("status", {}), **status}
        server("PUT", f"{name}/status", made)
    table = server("GET", f"{name}?includeObject=Object", accept=TABLE)
    [row] = table["rows"]
    columns = [
        [column["name"], column["type"], column["format"], column["priority"]]
        for column in table["columnDefinitions"]
    ]
    row["object"]["metadata"].pop("managedFields", None)
    found = {"object": row["object"], "columns": columns, "cells": row["cells"]}
    return {**found, "conditions": row["conditions"]} if "conditions" in row else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("token")
    options = parser.parse_args()
    server = Server(options.url, options.token)
    rows = []
    for value in yaml.safe_load_all((FOLDER / "objects.yaml").read_text(encoding="utf-8")):
        time.sleep(1 - time.time() % 1 + 0.2)  # so that no age changes while it is read
        row = record(server, value)
        rows.append({**row, "at": datetime.now(UTC).isoformat()})
    version = server("GET", "/version")["gitVersion"]
    text = json.dumps({"version": version, "rows": rows}, sort_keys=True, separators=(",", ":"))
    with (FOLDER / "recorded.json.gz").open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())
    print(f"{len(rows)} objects, {version}")


if __name__ == "__main__":
    main()
