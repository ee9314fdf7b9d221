"""Asks the real OPA, where it is installed, what built-ins give: a second, independent implementation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from sekisho.lang.meter import Limits, Meter
from sekisho.rego import builtins, jsontext, text
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import UNDEFINED, Set

OPA = os.environ.get("SEKISHO_OPA") or shutil.which("opa") or "/opt/oracle/bin/opa"


class Spelling(str):
    """A number as it is spelled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"#{self}"


def present() -> bool:
    return Path(OPA).exists()


def context(seconds: float = 20.0) -> EvalContext:
    return EvalContext(
        now_ns=1_700_000_000_123_456_789, meter=Meter(Limits(seconds=seconds)), capabilities=Capabilities()
    )


def read(source: str | bytes) -> Any:
    return json.loads(source, parse_int=Spelling, parse_float=Spelling)


def ours(name: str, operands: list[Any]) -> Any:
    """What our built-in gives: JSON with spelled numbers, "undefined", or the fault's text."""
    row = builtins.load()[name]
    try:
        value = row.function(context(), *operands) if row.context else row.function(*operands)
    except BuiltinFault as fault:
        return f"fault {fault.kind}: {name}: {fault}"
    if row.relation:
        value = list(value)
    return "undefined" if value is UNDEFINED else read(jsontext.marshal(value))


def theirs(calls: list[tuple[str, list[Any]]]) -> list[Any]:
    """What OPA gives for each call; calls that its type checker refuses are None."""
    refused: set[int] = set()
    while True:
        answers = _ask(calls, refused)
        new = {number for number, answer in enumerate(answers) if answer is None} - refused
        if not new:
            return answers
        refused |= new


def _ask(calls: list[tuple[str, list[Any]]], refused: set[int]) -> list[Any]:
    lines, plain = ["package t"], []
    for number, (name, operands) in enumerate(calls):
        terms = []
        for operand in operands:
            terms.append(text.text(operand) if _has_set(operand) else f"input[{len(plain)}]")
            plain.append(None if _has_set(operand) else operand)
        call = f"r[{number}] := v if {{ v := {name}({', '.join(terms)}) }}"
        lines.append("# refused" if number in refused else call)
    with tempfile.TemporaryDirectory() as folder:
        module, document = Path(folder) / "t.rego", Path(folder) / "input.json"
        module.write_text("\n".join(lines) + "\n")
        document.write_text("[" + ",".join(map(jsontext.marshal, plain)) + "]")
        command = [
            OPA,
            "eval",
            "-f",
            "json",
            "--show-builtin-errors",
            "-d",
            module,
            "-i",
            document,
            "data.t.r",
        ]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.stdout, done.stderr.decode()[:2000]
    output = read(done.stdout)
    values = output["result"][0]["expressions"][0]["value"] if output.get("result") else {}
    answers: list[Any] = [values.get(str(number), "undefined") for number in range(len(calls))]
    for error in output.get("errors", []):
        number = int(error["location"]["row"]) - 2
        fault = f"fault {error['code']}: {error['message']}"
        answers[number] = fault if error["code"].startswith("eval_") else None
    for number in refused:
        answers[number] = None
    return answers


def _has_set(value: Any) -> bool:
    if type(value) is Set:
        return True
    if type(value) is dict:
        return any(type(name) is not str or _has_set(item) for name, item in value.items())
    return type(value) is list and any(map(_has_set, value))
