"""Every code has a page and a case that produces it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sekisho.cli.codes import load_codes
from sekisho.diag import Code, registered

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "src" / "sekisho" / "diag" / "pages"
CASES = ROOT / "tests" / "cases"

load_codes()
CODES = registered()

NOT_YET = "no command reads one yet"
NETWORK = "needs a server on the loopback: tests/unit/web/test_client.py"
REGISTRY = "needs a registry on the loopback: tests/unit/oci/test_registry.py"
PROVIDER = "needs a provider on the loopback: tests/unit/policy/external"
WEBHOOK = "needs a webhook that is asked: tests/unit/admission"
WITHOUT_CASE: dict[str, str] = {
    **{f"ADM{number:03}": WEBHOOK for number in (*range(1, 8), 10, 11)},
    "CLI120": "needs a cluster: tests/integration/test_live.py",
    "CLI131": "needs a cluster: tests/integration/test_install.py",
    "CLI130": "needs a port that is taken: tests/integration/test_page.py",
    "CLU020": f"{NOT_YET}: tests/unit/cluster",
    "CLU021": f"{NOT_YET}: tests/unit/cluster",
    "CLU022": f"{NOT_YET}: tests/unit/cluster",
    "CLU023": f"{NOT_YET}: tests/unit/cluster",
    "CLU024": f"{NOT_YET}: tests/unit/cluster",
    "CLU025": "it takes two processes: tests/integration/test_leases.py",
    "CLU027": "needs a cluster: tests/integration/test_wait.py",
    "CLU026": f"{NOT_YET}: tests/unit/cluster/test_rates.py",
    "API020": "what this machine lacks or has: tests/unit/node/test_node.py",
    "API001": "needs a server that runs: tests/unit/cli/test_up.py",
    **{f"CLU{number:03}": NETWORK for number in range(2, 12)},
    "AUD002": "is a bug of ours: tests/integration/test_audit.py",
    "AUD001": "needs a cluster that refuses: tests/integration/test_audit.py",
    **{f"OCI{number:03}": REGISTRY for number in (3, 4, 7)},
    "OCI008": "needs a helper that fails: tests/unit/oci/test_credentials.py",
    "CEL010": "100,000 characters of text: tests/unit/cel/test_program.py",
    "CEL153": "a mistake of an embedder, not of a command: tests/unit/cel/test_program.py",
    "CLI108": "a second writer or a full disk: tests/unit/cli/test_rego_fmt.py",
    "KUB011": f"{NOT_YET}: tests/unit/kube/test_selectortext.py",
    "KUB012": f"{NOT_YET}: tests/unit/kube/test_selectortext.py",
    "KUB020": f"{NOT_YET}: tests/unit/kube/test_quantity.py",
    "KUB030": f"{NOT_YET}: tests/unit/kube/test_patch.py",
    "KUB031": f"{NOT_YET}: tests/unit/kube/test_patch.py",
    "KUB032": f"{NOT_YET}: tests/unit/kube/test_patch.py",
    "KUB050": "needs a reviewer that asks others: tests/unit/kube/review/test_chain.py",
    "KUB051": "is a bug of ours: tests/unit/kube/review/test_chain.py",
    "KUB052": "needs a reviewer that asks others: tests/unit/kube/review/test_chain.py",
    "KUB108": "manifests stop at 200 levels first: tests/unit/kube/schema/test_validate.py",
    "IMG102": "needs a store that is down: tests/unit/images/test_judge.py",
    "IMG007": "what is installed differs: tests/unit/images/test_verifybundle.py",
    "AUD003": "needs a cluster and a folder: tests/unit/audit/test_disk.py",
    "POL039": "it takes 100,000 kinds: tests/unit/policy/mutation/test_system.py",
    "POL044": "it takes a million steps: tests/unit/policy/mutation/test_system.py",
    "POL124": f"{PROVIDER}/test_https.py",
    "POL125": f"{PROVIDER}/test_https.py",
    "POL126": f"{PROVIDER}/test_https.py",
    "POL220": "needs a cluster: tests/unit/policy/controller/test_controller.py",
    "REG120": "a megabyte of text: tests/unit/rego/parser",
    "REG522": "it takes thousands of functions: tests/unit/rego/test_program.py",
    "REG123": "is a bug of ours: tests/unit/rego/format/test_format.py",
    "REG530": "a mistake of an embedder, not of a command: tests/unit/rego/test_program.py",
    "SBX017": "a machine without a right: tests/unit/sandbox/oci_runtime",
    "SBX018": "it takes a sandbox that is made: tests/unit/sandbox/oci_runtime",
    "SBX115": "it takes a container: tests/unit/sandbox/oci_runtime/test_hooks.py",
    "SBX117": "it takes a container without a cgroup: tests/unit/sandbox/oci_runtime/test_groups.py",
    "SBX100": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX101": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX102": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX103": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX104": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX105": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX106": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX107": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX108": "what this machine lacks or has: tests/unit/sandbox/doctor",
    "SBX001": "needs a machine that refuses: tests/unit/sandbox/spawn/test_errors.py",
    "SBX002": "needs a machine without cgroups: tests/unit/sandbox/spawn/test_errors.py",
    "SBX010": "needs a kernel that refuses: tests/unit/sandbox/spawn/test_errors.py",
    "SBX011": "runs a sandbox, which a case cannot: tests/unit/sandbox/spawn/test_do.py",
    "SBX012": "needs a machine without directories: tests/unit/sandbox/spawn/test_errors.py",
    "SBX013": "runs a sandbox, which a case cannot: tests/unit/sandbox/spawn/test_do.py",
    "SBX014": "runs a sandbox, which a case cannot: tests/unit/sandbox/spawn/test_do.py",
    "SBX015": "runs a sandbox, which a case cannot: tests/unit/sandbox/spawn/test_do.py",
    "SBX019": "needs a kernel that refuses: tests/unit/sandbox/spawn/test_errors.py",
    "SBX020": "runs a sandbox, which a case cannot: tests/unit/sandbox/spawn/test_do.py",
    "SBX021": "runs a sandbox, which a case cannot: tests/unit/sandbox/spawn/test_do.py",
    "SBX022": "runs a sandbox, which a case cannot: tests/unit/sandbox/network/test_lab.py",
    "SBX025": "needs a machine that refuses: tests/unit/sandbox/trace",
    "SBX024": "runs a sandbox, which a case cannot: tests/unit/sandbox/api",
    "SBX023": "runs a sandbox, which a case cannot: tests/unit/sandbox/network/test_lab.py",
    "SBX099": "is a bug of ours: tests/unit/sandbox/spawn/test_errors.py",
    "SRC004": "64 MB of text: tests/unit/manifest",
    "SRC021": "tests may run as root, who can read everything: tests/unit/manifest",
    "SRC100": "a warning of the cache, not of a command: tests/unit/cache",
    "SRC101": "a warning of the cache, not of a command: tests/unit/cache",
}
"""Codes that no case can produce, each with the reason and the unit test that does."""


def produced() -> set[str]:
    found: set[str] = set()
    for file in CASES.rglob("*"):
        if file.is_file() and file.name.startswith("expected"):
            found |= set(re.findall(r"\b[A-Z]{3}\d{3}\b", file.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("code", CODES, ids=str)
def test_code_has_a_page(code: Code) -> None:
    page = code.page()
    assert page.startswith(f"# {code.id}"), f"write src/sekisho/diag/pages/{code.id}.md"
    assert code.alias in page


def test_every_code_has_a_case() -> None:
    missing = {code.id for code in CODES} - produced()
    assert missing == set(WITHOUT_CASE)


def test_every_page_belongs_to_a_code() -> None:
    assert {file.stem for file in PAGES.glob("*.md")} <= {code.id for code in CODES}


def test_every_module_with_codes_is_known() -> None:
    from sekisho.cli.codes import MODULES

    registering = {
        "sekisho." + file.relative_to(ROOT / "src" / "sekisho").with_suffix("").as_posix().replace("/", ".")
        for file in (ROOT / "src" / "sekisho").rglob("*.py")
        if re.search(r"^\w+(: Final)? = register\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert registering == set(MODULES)
