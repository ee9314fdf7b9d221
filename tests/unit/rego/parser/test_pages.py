"""The example on the page of a code produces it."""

from __future__ import annotations

import re

import pytest
from tests.unit.rego.parser.show import faults

from sekisho.diag import Code
from sekisho.rego import codes

CODES = [code for code in vars(codes).values() if getattr(code, "id", "").startswith("REG1")]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_example_produces_the_code(code: Code) -> None:
    page = code.page()
    assert page.startswith(f"# {code.id}: {code.title}\n")
    example = re.search(r"```rego\n(.*?)```", page, re.DOTALL)
    if example is None:
        assert code in {codes.TOO_LARGE, codes.TOO_DEEP, codes.EMPTY_QUERY, codes.UNFORMATTED}
        return
    found = faults(example[1])
    assert code.id in {line.split()[1] for line in found}, found
