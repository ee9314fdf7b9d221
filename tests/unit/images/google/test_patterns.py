"""Both languages of patterns: Google's documented examples, Kritis' cases, and what each refuses."""

from __future__ import annotations

import pytest

from sekisho.images.google.patterns import BadPatternError, name_pattern
from sekisho.images.google.platformpatterns import allow_pattern, directory_pattern
from sekisho.oci import parse_reference

D = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("pattern", "image", "matches"),
    [
        ("gcr.io/p/nginx*", "gcr.io/p/nginx", True),
        ("gcr.io/p/nginx*", "gcr.io/p/nginx:latest", True),
        ("gcr.io/p/nginx*", f"gcr.io/p/nginx-2@{D}", True),
        ("gcr.io/p/nginx*", "gcr.io/p/nginx-images/nginx", False),
        ("gcr.io/p/*", "gcr.io/p/nginx:1", True),
        ("gcr.io/p/*", "gcr.io/p/a/nginx", False),
        ("gcr.io/p/**", "gcr.io/p/a/b/nginx:1", True),
        ("gcr.io/p/**", "gcr.io/q/nginx", False),
        ("gcr.io/my-project**", "gcr.io/my-project-exploit/x", True),
        ("gcr.io/p/nginx", "gcr.io/p/nginx", True),
        ("gcr.io/p/nginx", "gcr.io/p/nginx:1", False),
        ("gcr.io/p/nginx:1", "gcr.io/p/nginx:1", True),
        ("gcr.io/p/nginx:v1.*", "gcr.io/p/nginx:v1.7", True),
        ("gcr.io/p/nginx:v1.*", "gcr.io/p/nginx:v2.0", False),
        (f"gcr.io/p/nginx@{D}", f"gcr.io/p/nginx@{D}", True),
        (f"gcr.io/p/nginx@{D}", f"gcr.io/p/nginx@{OTHER}", False),
        (f"gcr.io/p/nginx@{D}", f"gcr.io/p/nginx:1@{D}", False),
        ("nginx*", "nginx:1", True),
        ("nginx*", "docker.io/library/nginx:1", True),
        ("nginx*", "nginx/nginx", False),
        ("nginx**", "nginx/nginx", True),
        ("nginx:1.25", "docker.io/nginx:1.25", True),
        ("docker.io/nginx*", "nginx", True),
        ("index.docker.io/shop/*", "shop/cart", True),
        ("GCR.io/p/*", "gcr.io/p/a", True),
        ("localhost:5000/*", "localhost:5000/a", True),
        ("registry:5000/a*", "registry:5000/ab", True),
    ],
)
def test_name_pattern(pattern: str, image: str, matches: bool) -> None:
    assert name_pattern(pattern).matches(parse_reference(image)) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "**",
        "gcr.io/n*x",
        "gcr.i*",
        "gcr.io*",
        "*.gcr.io/a",
        "gcr.io/p/***",
        "gcr.io/p/a b*",
        "gcr.io/\u0430*",
    ],
)
def test_name_pattern_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        name_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "image", "matches"),
    [
        ("gcr.io/p/nginx", "gcr.io/p/nginx", True),
        ("gcr.io/p/nginx", f"gcr.io/p/nginx:1@{D}", True),
        ("gcr.io/p/nginx", "gcr.io/p/nginx-2", False),
        ("gcr.io/p/nginx:1", f"gcr.io/p/nginx:1@{D}", True),
        ("gcr.io/p/nginx:1", "gcr.io/p/nginx", False),
        ("gcr.io/p/nginx:foo*", "gcr.io/p/nginx:foobar", True),
        ("gcr.io/p/nginx:foo*", "gcr.io/p/nginx:bar", False),
        (f"gcr.io/p/nginx@{D}", f"gcr.io/p/nginx:2@{D}", True),
        (f"gcr.io/p/nginx:1@{D}", f"gcr.io/p/nginx:2@{D}", False),
        (f"gcr.io/p/nginx:1@{D}", f"gcr.io/p/nginx:1@{D}", True),
        ("gcr.io/p/*", "gcr.io/p/nginx:1", True),
        ("gcr.io/p/*", "gcr.io/p/a/nginx", False),
        ("gcr.io/p/ng*", "gcr.io/p/nginx", True),
        ("gcr.io/p/**", f"gcr.io/p/a/b@{D}", True),
        ("gcr.io/p/**", "gcr.io/p-exploit/a", False),
    ],
)
def test_allow_pattern(pattern: str, image: str, matches: bool) -> None:
    assert allow_pattern(pattern).matches(parse_reference(image)) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "**",
        "x:*",
        "gcr.io/p**",
        "gcr.i*",
        "gcr.io/p/a@sha256:*",
        "gcr.io/*/a",
        "gcr.io/p/*:v1",
        "gcr.io/P/a",
    ],
)
def test_allow_pattern_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        allow_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("gcr.io/p/*", "gcr.io/p/a", True),
        ("gcr.io/p/*", "gcr.io/p/a/b", False),
        ("gcr.io/p/**", "gcr.io/p/a/b", True),
        ("gcr.io/p", "gcr.io/p", True),
        ("*.gcr.io/p/*", "us.gcr.io/p/a", True),
        ("*.gcr.io/p/*", "gcr.io/p/a", False),
        ("*-docker.pkg.dev/p/**", "us-docker.pkg.dev/p/a/b", True),
        ("*-docker.pkg.dev/p/**", "evil.com/us-docker.pkg.dev/p/a", False),
        ("*-docker.pkg.dev/p/**", "us-docker.pkg.dev.evil.com/p/a", False),
    ],
)
def test_directory_pattern(pattern: str, path: str, matches: bool) -> None:
    assert directory_pattern(pattern, subdomains=True).matches(path) is matches


@pytest.mark.parametrize("pattern", ["*pkg.dev/p/*", "**", "gcr.io/p*", "https://gcr.io/p/*", "*.gcr.io*/p"])
def test_directory_pattern_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        directory_pattern(pattern, subdomains=True)
