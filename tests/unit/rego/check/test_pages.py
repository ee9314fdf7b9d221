"""Each page of a code of the checks shows an example; here it produces the code."""

from __future__ import annotations

import re

import pytest

from sekisho.diag import Code, DiagnosticError, registered
from sekisho.rego import codes
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.check import check

from .helpers import parse

CODES = [code for code in registered() if re.match(r"REG(2\d\d|3\d\d|40\d)\Z", code.id)]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_the_example_of_the_page_has_the_error(code: Code) -> None:
    assert code in vars(codes).values()
    example = re.search(r"```rego\n(.*?)```", code.page(), re.DOTALL)
    assert example is not None
    with pytest.raises(DiagnosticError) as raised:
        check(
            parse(example[1]),
            capabilities=Capabilities(denied=frozenset({"http.send"})),
            exists=lambda path: path == ("shop", "prices"),
        )
    assert code in {found.code for found in raised.value.diagnostics}
