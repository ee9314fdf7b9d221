"""What ours expands and mutates to is what the real gator does, where it is installed."""

from __future__ import annotations

import pytest
from tests.property.gator_expand import Generator, ours, present, theirs


@pytest.mark.skipif(not present(), reason="gator is not installed")
def test_as_gator_does() -> None:
    generator = Generator(1)
    for _ in range(25):
        rows = generator.case()
        assert ours(rows) == theirs(rows)
