"""``sekisho up`` guards: policies are applied by kubectl, and kubectl is told what they refuse."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.integration.guarded import KUBECTLS, Up, pod
from tests.unit.policy.made import constraint, template

from sekisho.policy.library import entry

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cluster in which the definitions are installed: that is the long part of a start."""
    found = Up(tmp_path_factory.mktemp("begun"))
    found.start()
    found.stop()
    return found.folder


@pytest.fixture
def up(begun: Path, tmp_path: Path) -> Iterator[Up]:
    shutil.copytree(begun, tmp_path / "up")
    found = Up(tmp_path / "up")
    yield found
    found.stop()


DENIED = 'admission webhook "validation.gatekeeper.sh" denied the request: [thing] no hostPID'


def test_what_a_policy_refuses_is_refused_and_a_restart_goes_on_refusing(up: Up) -> None:
    up.start()
    for policy in (template(), constraint()):
        made = up.apply(dict(policy.raw))
        assert made.returncode == 0, made.stderr
    refused = up.apply(pod(hostPID=True))
    assert refused.returncode == 1
    assert DENIED in refused.stderr
    assert up.apply(pod()).returncode == 0
    up.stop()
    up.start()
    refused = up.apply(pod("other", hostPID=True))
    assert DENIED in refused.stderr


def test_template_and_constraint_of_the_library_come_in_any_order(up: Up) -> None:
    up.start()
    found = entry("k8srequiredlabels")
    sample = found.sample("namespaces-have-an-owner")
    done = up.apply(dict(sample.raw), dict(found.template.raw))
    assert done.returncode == 0, done.stderr
    refused = up.kubectl("create", "namespace", "shop")
    assert "[namespaces-have-an-owner] every namespace needs a label owner" in refused.stderr


def test_statuses_say_how_policies_get_on(up: Up) -> None:
    up.start()
    assert up.apply(dict(template().raw)).returncode == 0
    assert up.apply(dict(constraint().raw)).returncode == 0
    found = up.get("constrainttemplate", "k8sthing")
    assert found["status"]["created"] is True
    (said,) = found["status"]["byPod"]
    assert (said["id"], said["templateUID"]) == ("sekisho-up", found["metadata"]["uid"])
    (said,) = up.get("k8sthing", "thing")["status"]["byPod"]
    assert said["enforced"] is True
    listed = up.kubectl("get", "constraints")
    assert "ENFORCEMENT-ACTION" in listed.stdout


def test_a_bad_template_is_refused_and_the_good_one_stands(up: Up) -> None:
    up.start()
    for policy in (template(), constraint()):
        assert up.apply(dict(policy.raw)).returncode == 0
    refused = up.apply(dict(template('violation contains {"msg": x} if true').raw))
    assert refused.returncode == 1
    assert 'admission webhook "validation.gatekeeper.sh" denied the request: ' in refused.stderr
    assert "unsafe" in refused.stderr
    assert DENIED in up.apply(pod(hostPID=True)).stderr
    refused = up.apply(dict(constraint(enforcementAction="shout").raw))
    assert 'the enforcement action "shout" is unknown' in refused.stderr


def test_mutators_change_what_is_stored(up: Up) -> None:
    up.start()
    mutator = {
        "apiVersion": "mutations.gatekeeper.sh/v1",
        "kind": "AssignMetadata",
        "metadata": {"name": "team"},
        "spec": {
            "match": {"scope": "Namespaced", "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]},
            "location": "metadata.labels.team",
            "parameters": {"assign": {"value": "shop"}},
        },
    }
    assert up.apply(mutator).returncode == 0
    assert up.apply(pod()).returncode == 0
    assert up.get("pod", "web")["metadata"]["labels"] == {"team": "shop"}
    (said,) = up.get("assignmetadata", "team")["status"]["byPod"]
    assert said["enforced"] is True


def test_a_workload_is_refused_for_what_it_would_bring_about(up: Up) -> None:
    up.start()
    for policy in (template(), constraint()):
        assert up.apply(dict(policy.raw)).returncode == 0
    labels = {"app": "web"}
    spec = {**pod(hostPID=True)["spec"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    refused = up.apply(deployment)
    assert refused.returncode == 1
    assert "no hostPID" in refused.stderr
    assert "spec.template.spec.hostPID" in refused.stderr


def test_policies_of_a_folder_are_applied_and_follow_it(up: Up, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "template.yaml").write_text(yaml.safe_dump(dict(template().raw)))
    (folder / "constraint.yaml").write_text(yaml.safe_dump(dict(constraint().raw)))
    said = up.start("--policies", str(folder), "--bundle", "pod-security-baseline")
    guarded = said["guarded"]
    assert guarded["bundles"] == ["pod-security-baseline"]
    assert (guarded["templates"], guarded["constraints"]) == (13, 13)
    assert guarded["faults"] == 0
    assert "[thing] no hostPID" in up.apply(pod(hostPID=True)).stderr
    (folder / "constraint.yaml").unlink()
    until(lambda: up.kubectl("get", "k8sthing", "thing").returncode != 0)
    for file in folder.iterdir():
        file.unlink()
    assert up.kubectl("get", "constrainttemplate", "k8sthing").returncode == 0


def test_a_constraint_stays_and_waits_when_a_template_of_the_library_goes(up: Up) -> None:
    up.start()
    found = entry("k8srequiredlabels")
    sample = found.sample("namespaces-have-an-owner")
    assert up.apply(dict(found.template.raw), dict(sample.raw)).returncode == 0
    assert up.kubectl("delete", "constrainttemplate", found.name).returncode == 0
    assert up.kubectl("create", "namespace", "shop").returncode == 0
    (said,) = up.get("k8srequiredlabels", sample.name)["status"]["byPod"]
    assert "waits for the ConstraintTemplate" in said["errors"][0]["message"]
    assert up.apply(dict(found.template.raw)).returncode == 0
    assert "every namespace needs" in up.kubectl("create", "namespace", "other").stderr


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.1)
