"""Command lines: those of containerd's shim, and those that make no sense."""

from __future__ import annotations

import pytest

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import options

SHIM = "--root /r/ns --log /b/log.json --log-format json --systemd-cgroup"

LINES = {
    "create": "create --bundle /b --pid-file /b/init.pid --console-socket /s --no-pivot --no-new-keyring web",
    "start": "start web",
    "exec": "exec --process /b/p.json --detach --pid-file /b/e.pid --console-socket /s web",
    "kill": "kill --all web 9",
    "delete": "delete --force web",
    "ps": "ps --format json web",
    "pause": "pause web",
    "resume": "resume web",
    "update": "update --resources=- web",
    "events": "events --stats web",
    "state": "state web",
    "checkpoint": "checkpoint --image-path /i --work-path /w --leave-running web",
    "features": "features",
}


@pytest.mark.parametrize("command", LINES)
def test_what_the_shim_says(command: str) -> None:
    call = options.parse(f"{SHIM} {LINES[command]}".split())
    assert call.command == command
    assert call.words[:1] == (() if command == "features" else ("web",))
    assert call.setting("root") == "/r/ns"
    assert call.setting("log-format") == "json"
    assert call.is_set("systemd-cgroup")


def test_flags() -> None:
    call = options.parse(["create", "-b", "/b", "--pid-file=/p", "--no-pivot=false", "web"])
    assert (call.text("bundle"), call.text("pid-file"), call.flag("no-pivot")) == ("/b", "/p", False)
    assert call.text("console-socket", "none") == "none"


def test_global_flags_may_follow_the_command() -> None:
    assert options.parse(["state", "--root", "/r", "web"]).setting("root") == "/r"


@pytest.mark.parametrize(
    ("line", "words", "env"),
    [
        ("exec web ls -l", ("web", "ls", "-l"), ()),
        ("exec -e A=1 --env B=2 web ls --env C", ("web", "ls", "--env", "C"), ("A=1", "B=2")),
        ("exec web --env A=1 ls", ("web", "ls"), ("A=1",)),
        ("exec web -- ls -l", ("web", "ls", "-l"), ()),
    ],
)
def test_a_program_has_flags_of_its_own(line: str, words: tuple[str, ...], env: tuple[str, ...]) -> None:
    call = options.parse(line.split())
    assert (call.words, call.many("env")) == (words, env)


@pytest.mark.parametrize("line", ["", "--help", "help", "-h"])
def test_help_without_a_command(line: str) -> None:
    assert options.parse(line.split()).command == "help"
    assert "checkpoint" in options.help_text(())


@pytest.mark.parametrize("command", options.COMMANDS)
def test_help_of_a_command(command: str) -> None:
    call = options.parse([command, "--help"])
    assert (call.command, call.words) == ("help", (command,))
    assert options.COMMANDS[command].help in options.help_text(call.words)


@pytest.mark.parametrize(
    "line",
    [
        "frob",
        "start",
        "start a b",
        "--frob start a",
        "start --frob a",
        "create --bundle",
        "kill a b c",
        "--root",
    ],
)
def test_what_makes_no_sense(line: str) -> None:
    with pytest.raises(SandboxError, match="SBX110"):
        options.parse(line.split())
