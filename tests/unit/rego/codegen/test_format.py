"""The number of the image's format guards caches: it must rise with every change of the generated code."""

from __future__ import annotations

import ast
import hashlib
import sys
from pathlib import Path

import pytest

from sekisho import rego
from sekisho.rego.codegen import generate as module
from sekisho.rego.image import FORMAT

POLICIES = Path(__file__).parents[4] / "bench" / "policies"
DIGESTS = {3: "7f0149afcdcda40d"}
"""The digest of the trees that are generated for the policies of the benchmarks, by format."""


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="trees differ between versions of Python")
def test_the_format_rises_with_the_generated_code(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256()
    compile_module = module.compile_module

    def noting(body: list[ast.stmt], filename: str) -> object:
        digest.update(ast.dump(ast.Module(body, [])).encode())
        return compile_module(body, filename)

    monkeypatch.setattr(module, "compile_module", noting)
    for file in sorted(POLICIES.glob("*.rego")):
        rego.compile({file.name: file.read_text(encoding="utf-8")})
    assert digest.hexdigest()[:16] == DIGESTS.get(FORMAT), "raise FORMAT and note the new digest"
