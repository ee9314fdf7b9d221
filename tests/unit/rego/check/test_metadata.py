"""``rego.metadata.rule`` and ``rego.metadata.chain``."""

from __future__ import annotations

from .helpers import body_text, checked, errors

SOURCE = """# METADATA
# title: The package
package t

# METADATA
# title: The document
# scope: document

# METADATA
# description: The rule
# authors:
# - Jane Doe <jane@example.com>
# - name: Joe
# related_resources:
# - https://example.com
# custom:
#   since: early
p if { CALL }
"""


def test_rule() -> None:
    (line,) = body_text(checked(SOURCE.replace("CALL", "rego.metadata.rule()")), "t", "p")
    assert line == (
        '{"description": "The rule", "related_resources": [{"ref": "https://example.com"}], '
        '"authors": [{"name": "Jane Doe", "email": "jane@example.com"}, {"name": "Joe"}], '
        '"custom": {"since": "early"}, "scope": "rule"}'
    )


def test_chain() -> None:
    (line,) = body_text(checked(SOURCE.replace("CALL", "rego.metadata.chain()")), "t", "p")
    assert line.index("The rule") < line.index("The document") < line.index("The package")


def test_a_rule_without_metadata() -> None:
    assert body_text(checked("p if { rego.metadata.rule() }"), "t", "p") == ["{}"]
    assert body_text(checked("p if { rego.metadata.chain() }"), "t", "p") == ['[{"path": ["t", "p"]}]']


def test_two_blocks_for_one_document() -> None:
    block = "# METADATA\n# title: A\n# scope: document\np if input.x\n"
    assert errors(f"package t\n{block}{block}") == ["6:1 REG219 document annotation redeclared: m0.rego:2"]


def test_two_blocks_for_one_package() -> None:
    module = "# METADATA\n# title: A\npackage t\n"
    assert errors(f"{module}p := 1", f"{module}q := 1") == [
        "1:1 REG219 package annotation redeclared: m0.rego:1"
    ]
