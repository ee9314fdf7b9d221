"""The behaviours that Kritis tests for its allowlist patterns, one a row."""

from __future__ import annotations

import pytest

from sekisho.images.google.patterns import name_pattern
from sekisho.oci import parse_reference

ONE, TWO = "sha256:" + "0" * 64, "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("pattern", "image", "matches"),
    [
        ("gcr.io/exact:latest", "gcr.io/exact:latest", True),
        ("gcr.io/exact:latest", "gcr.io/exact:other", False),
        ("gcr.io/any-tag:*", "gcr.io/any-tag:any", True),
        ("gcr.io/any-tag:*", "gcr.io/any-tag-more:any", False),
        ("gcr.io/begins*", "gcr.io/begins-abc", True),
        ("gcr.io/begins*", "gcr.io/begins-abc:tag", True),
        ("gcr.io/begins*", "gcr.io/begins:tag", True),
        ("gcr.io/begins*", f"gcr.io/begins@{ONE}", True),
        ("gcr.io/begins*", "gcr.io/begins2:latest", True),
        ("gcr.io/begins*", "gcr.io/begins/a:latest", False),
        ("gcr.io/begins*", "gcr.io/other:latest", False),
        ("gcr.io/untagged", "gcr.io/untagged", True),
        ("gcr.io/untagged", "gcr.io/untagged:tag", False),
        ("gcr.io/tags:1.*", "gcr.io/tags:1.3", True),
        ("gcr.io/tags:1.*", "gcr.io/tags:2.3", False),
        ("gcr.io/5/long/path/image*", "gcr.io/5/long/path/image-1:tag", True),
        ("gcr.io/5/long/path/image*", "gcr.io/5/long/path/image/image", False),
        (f"gcr.io/digest@{ONE}", f"gcr.io/digest@{ONE}", True),
        (f"gcr.io/digest@{ONE}", f"gcr.io/digest@{TWO}", False),
        ("gcr.io/digest@sha256:*", f"gcr.io/digest@{TWO}", True),
        ("local:*", "local:any-tag", True),
        ("local:tag", "local:tag", True),
        ("local:tag", "local:tag2", False),
        ("local:tag*", "local:tag-any", True),
        ("local:tag*", "local:1tag", False),
    ],
)
def test_pattern(pattern: str, image: str, matches: bool) -> None:
    assert name_pattern(pattern).matches(parse_reference(image)) is matches
