"""The ``clientConfig`` of a webhook: a URL or a Service, and what is wrong with either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sekisho.apiserver.causes import invalid, required
from sekisho.apiserver.status import Cause
from sekisho.kube.names import dns_subdomain

Raw = Mapping[str, Any]


def client_causes(client: Raw, at: str) -> Iterator[Cause]:
    """What is wrong with a ``clientConfig`` (apiserver ``pkg/util/webhook``)."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(at, "exactly one of url or service is required")
    elif url is not None:
        yield from _url_causes(url, f"{at}.url")
    else:
        yield from _service_causes(service, f"{at}.service")


def _url_causes(url: str, at: str) -> Iterator[Cause]:
    form = "; desired format: https://host[/path]"
    try:
        parts = urlsplit(url)
        host = parts.netloc
    except ValueError as error:
        yield required(at, f"url must be a valid URL: {error}{form}")
        return
    if parts.scheme != "https":
        yield invalid(at, parts.scheme, f"'https' is the only allowed URL scheme{form}")
    if not host:
        yield invalid(at, host, f"host must be specified{form}")
    if "@" in host:
        yield invalid(at, host.rpartition("@")[0], "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(at, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(at, parts.query, "query parameters are not permitted in the URL")


def _service_causes(service: Any, at: str) -> Iterator[Cause]:
    if not isinstance(service, Mapping):
        yield required(at)
        return
    for field in ("name", "namespace"):
        if not service.get(field):
            yield required(f"{at}.{field}")
    port = service.get("port", 443)
    if not 1 <= port <= 65_535:
        detail = "port is not valid: must be between 1 and 65535, inclusive"
        yield invalid(f"{at}.port", port, detail)
    path = service.get("path") or "/"
    if path == "/":
        return
    if not path.startswith("/"):
        yield invalid(f"{at}.path", path, "must start with a '/'")
    for index, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(f"{at}.path", path, f"segment[{index}] may not be empty")
            continue
        for wrong in dns_subdomain(step):
            yield invalid(f"{at}.path", path, f"segment[{index}]: {wrong}")
