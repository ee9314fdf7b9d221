"""External data from the command line, with a provider on the loopback."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from tests.simulators.server import Server, server_context
from tests.unit.policy.external.made import (
    CA,
    PAIR,
    constraint,
    echo,
    pod,
    provider,
    serving,
    template,
)

from sekisho.cli import workers
from sekisho.cli.main import run
from sekisho.kube.object import Object

UPPER = """
package x
violation[{"msg": msg}] {
  answer := external_data({"provider": "p", "keys": [c.image | c := input.review.object.spec.containers[_]]})
  msg := sprintf("%v %v", [answer.responses[_][1], answer.status_code])
}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write(name: str, *objects: Object) -> None:
    Path(name).write_text("\n---\n".join(json.dumps(row.raw) for row in objects))


def policies() -> None:
    write("policies.yaml", template(UPPER), constraint())


def check(*more: str) -> int:
    return run(["check", "-p", "policies.yaml", "-o", "json", "--no-schema", *more])


def told(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    findings = json.loads(capsys.readouterr().out)["findings"]
    return [(row["code"], row["message"]) for row in findings]


def test_a_provider_is_asked_and_the_client_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    policies()
    write("pod.yaml", pod("a", "b"))
    with serving(echo) as server:
        write("provider.yaml", provider(server.url))
        status = check("-p", "provider.yaml", "pod.yaml", "--allow-network", f"127.0.0.1:{server.port}")
    assert status == 1
    assert told(capsys) == [("POL100", "A 200"), ("POL100", "B 200")]
    assert not [thread for thread in threading.enumerate() if thread.name == "sekisho-web"]


def test_files_are_asked_first(capsys: pytest.CaptureFixture[str]) -> None:
    policies()
    write("pod.yaml", pod("a", "b"))
    with serving(echo) as server:
        write("external.yaml", Object({"p": {"a": "from the file"}}), provider(server.url))
        status = check("pod.yaml", "--external-data", "external.yaml", "--allow-network", "127.0.0.1")
        assert [asked.json()["request"]["keys"] for asked in server.asked] == [["b"]]
    assert status == 1
    assert told(capsys) == [("POL100", "B 200"), ("POL100", "from the file 200")]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["policy", "test", "-f", "policies.yaml", "-f", "pod.yaml"], "A 200"),
        (["policy", "audit", "-p", "policies.yaml", "pod.yaml"], "A 200"),
        (["policy", "preview", "-p", "policies.yaml", "pod.yaml"], "K8sAsks/asks"),
    ],
)
def test_other_commands_ask_too(command: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    policies()
    write("pod.yaml", pod("a"))
    with serving(echo) as server:
        write("provider.yaml", provider(server.url))
        run([*command, "--external-data", "provider.yaml", "--allow-network", "127.0.0.1"])
        assert len(server.asked) == 1
    assert said in capsys.readouterr().out


def test_many_objects_are_judged_by_workers_that_ask_themselves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FEW", 2)
    monkeypatch.setattr(workers, "_processors", lambda: 4)
    policies()
    pods = [Object({**pod(f"i{number}").raw, "metadata": {"name": f"p{number}"}}) for number in range(8)]
    write("pods.yaml", *pods)
    with serving(echo) as server:
        write("provider.yaml", provider(server.url))
        check("-p", "provider.yaml", "pods.yaml", "--allow-network", "127.0.0.1")
        assert len(server.asked) == 8
    assert told(capsys) == [("POL100", f"I{number} 200") for number in range(8)]


def test_a_client_certificate_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    policies()
    write("pod.yaml", pod("a"))
    pair = CA.issue(client=True)
    Path("client.crt").write_text(pair.certificate)
    Path("client.key").write_text(pair.key)
    Path("sekisho.yaml").write_text("clientCertificate: client.crt\nclientKey: client.key\n")
    with Server(echo, server_context(PAIR, client_ca=CA.certificate)) as server:
        write("provider.yaml", provider(server.url))
        check("-p", "provider.yaml", "pod.yaml", "--allow-network", "127.0.0.1")
    assert told(capsys) == [("POL100", "A 200")]


def test_the_project_file_cannot_open_the_network(capsys: pytest.CaptureFixture[str]) -> None:
    write("pod.yaml", pod("a"))
    Path("sekisho.yaml").write_text('allowNetwork: ["*"]\n')
    assert run(["check", "pod.yaml"]) == 2
    assert 'unknown key "allowNetwork"' in capsys.readouterr().err
