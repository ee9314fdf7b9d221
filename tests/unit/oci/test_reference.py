"""References: the grammar, and the one normal form."""

from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError
from sekisho.oci import Reference, parse_reference

A = "a" * 64
D = f"sha256:{A}"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1.25", "docker.io/library/nginx:1.25"),
        ("shop/cart", "docker.io/shop/cart"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("index.docker.io/nginx", "docker.io/library/nginx"),
        ("registry-1.docker.io/library/nginx", "docker.io/library/nginx"),
        ("library/nginx", "docker.io/library/nginx"),
        ("gcr.io/shop/cart", "gcr.io/shop/cart"),
        ("GCR.io/shop/cart", "gcr.io/shop/cart"),
        ("gcr.io/shop/a/b/c:v1.0_x-y", "gcr.io/shop/a/b/c:v1.0_x-y"),
        (f"gcr.io/shop/cart@{D}", f"gcr.io/shop/cart@{D}"),
        (f"gcr.io/shop/cart:v1@{D}", f"gcr.io/shop/cart:v1@{D}"),
        (f"cart@sha512:{A}{A}", f"docker.io/library/cart@sha512:{A}{A}"),
        ("localhost/cart", "localhost/cart"),
        ("localhost:5000/cart", "localhost:5000/cart"),
        ("registry:5000/cart:v1", "registry:5000/cart:v1"),
        ("10.0.0.1:5000/cart", "10.0.0.1:5000/cart"),
        ("[::1]:5000/cart", "[::1]:5000/cart"),
        ("a.b/c__d/e---f/g_h", "a.b/c__d/e---f/g_h"),
    ],
)
def test_normal_form(text: str, normal: str) -> None:
    assert str(parse_reference(text)) == normal
    assert str(parse_reference(normal)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 64,
        f"{'0' * 64}:v1",
        "gcr.io:65536/cart",
        "gcr.io:99999/cart",
        " nginx",
        "nginx ",
        "nginx\n",
        "/nginx",
        "nginx/",
        "a//b",
        "gcr.io/",
        "gcr.io//cart",
        "gcr.io/shop/Cart",
        "Shop/cart",
        "NGINX",
        "nginx:",
        "nginx:-v1",
        "nginx:" + "v" * 129,
        "nginx:v1:v2",
        "nginx@",
        "nginx@sha256:" + "A" * 64,
        "nginx@sha256:" + "a" * 63,
        "nginx@sha256:zz",
        "nginx@md5:" + "a" * 32,
        f"nginx@{D}@{D}",
        f"nginx@{D}:v1",
        "https://gcr.io/shop/cart",
        "gcr.io/../shop/cart",
        "gcr.io/./cart",
        "gcr.io/shop/-cart",
        "gcr.io/shop/cart.",
        "gcr.io/a___b",
        "-gcr.io/shop/cart",
        "gcr.io:99999999/cart",
        "gcr.io./shop/cart",
        "gcr.io/shop%2fcart",
        "gcr.io/sh\u043ep/cart",
        "gcr.io/shop/cart\u200b",
        "gcr.io/shop/\uff43art",
        "gc\u0433.io/shop/cart",
        "gcr.io/" + "a" * 250,
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse_reference(text)
    assert caught.value.diagnostics[0].code.id == "OCI001"


def test_at_drops_the_tag() -> None:
    reference = parse_reference("gcr.io/shop/cart:v1")
    assert reference.at(D) == Reference(registry="gcr.io", repository="shop/cart", digest=D)


def test_at_takes_digests_only() -> None:
    with pytest.raises(DiagnosticError):
        parse_reference("cart").at("v1")
