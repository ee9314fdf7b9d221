"""Builds gVisor's system-call tests without its build system: writes a file for ninja from its BUILD file.

    python -m tests.conformance.gvisor_syscalls.build SOURCE OUT && ninja -C OUT -k 0

SOURCE is a checkout of gVisor, of which only ``test/syscalls/linux`` and ``test/util`` are read. It takes what
Debian has of googletest and Abseil (libgtest-dev, libgmock-dev, libabsl-dev, libbenchmark-dev). Programs that
need what those lack are not built: ninja goes on without them (``-k 0``).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TESTS, UTIL = "test/syscalls/linux", "test/util"

SHIMS = {
    "tools/cpp/runfiles/runfiles.h": """#pragma once
#include <cstdlib>
#include <string>
namespace bazel::tools::cpp::runfiles {
// Files that tests bring along lie in one folder, under their paths in the source.
class Runfiles {
 public:
  static Runfiles* CreateForTest(std::string*) { return new Runfiles; }
  std::string Rlocation(const std::string& path) const {
    const char* folder = std::getenv("TEST_SRCDIR");
    return std::string(folder ? folder : ".") + "/" + path;
  }
};
}
""",
    "absl/base/no_destructor.h": """#pragma once
#include <utility>
namespace absl {
template <typename T> class NoDestructor {
 public:
  template <typename... A> explicit NoDestructor(A&&... a) : at_(new T(std::forward<A>(a)...)) {}
  T& operator*() const { return *at_; }
  T* operator->() const { return at_; }
 private:
  T* at_;
};
}
""",
    "absl/log/log.h": """#pragma once
#include <iostream>
#define LOG(level) std::cerr
""",
}

RULES = """cxx = g++ -std=c++17 -O0 -w -I{shims} -I{source} -include prefix.h
rule object
  command = $cxx -MD -MF $out.d -c $in -o $out
  depfile = $out.d
rule prefix
  command = g++ -std=c++17 -O0 -w -I{shims} -I{source} -x c++-header $in -o $out
rule program
  command = g++ $in -o $out $mains {libraries}
rule copy
  command = mkdir -p $$(dirname $out) && cp $in $out

build prefix.h.gch: prefix prefix.h
"""

PREFIX = """#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
"""


OLDER = (
    (r"MutexLock (\w+)\((\w+)\)", r"MutexLock \1(&\2)"),
    (r"\bmu\.lock\(\)", "mu.Lock()"),
    (r"\bmu\.unlock\(\)", "mu.Unlock()"),
    (r"std::string_view", "absl::string_view"),
    (r"described_key\.(\w+) = element", r"described_key.\1 = std::string(element)"),
)
"""What the Abseil of Debian 12 has under an older name: replaced in copies of the sources."""


class Target:
    """One cc_binary or cc_library."""

    def __init__(self, kind: str, given: dict[str, Any]) -> None:
        self.kind = kind
        self.name: str = given["name"]
        self.sources: list[str] = [name for name in _flat(given.get("srcs", ())) if name.endswith(".cc")]
        self.needs: list[str] = [*_flat(given.get("deps", ()))]
        self.linkstatic = bool(given.get("linkstatic"))


def _flat(value: Any) -> Iterator[str]:
    for item in value:
        if isinstance(item, str):
            yield item
        else:
            yield from _flat(item)


def read(build: Path) -> dict[str, Target]:
    """The targets of a BUILD file, which is Python as far as this one goes."""
    found: dict[str, Target] = {}

    def rule(kind: str) -> Callable[..., None]:
        def declare(**given: Any) -> None:
            found[given["name"]] = Target(kind, given)

        return declare

    def nothing(*_: Any, **__: Any) -> list[str]:
        return []

    scope: dict[str, Any] = {
        "cc_binary": rule("program"),
        "cc_library": rule("library"),
        "select_gtest": list,
        "select_system": lambda linux=(), **_: [*linux],
        "select_arch": lambda amd64=(), **_: [*amd64],
        "gbenchmark": "@benchmark",
    }
    scope |= dict.fromkeys(("load", "package", "exports_files", "sh_binary", "licenses"), nothing)
    exec(compile(build.read_text(), str(build), "exec"), scope)
    return found


def closure(targets: dict[str, Target], name: str) -> tuple[list[str], set[str]]:
    """The sources of a program with its libraries, and what it needs from elsewhere."""
    sources: list[str] = []
    outside: set[str] = set()
    seen: set[str] = set()
    todo = [name]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        sources += targets[at].sources
        for need in targets[at].needs:
            if need.startswith(":") and need[1:] in targets:
                todo.append(need[1:])
            else:
                outside.add(need)
    return sources, outside


def copied(source: Path, target: Path) -> Path:
    """The sources as Debian's libraries take them."""
    for folder in (TESTS, UTIL):
        for path in (source / folder).rglob("*"):
            if path.is_dir():
                continue
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text()
            if path.suffix in {".cc", ".h"}:
                for old, new in OLDER:
                    text = re.sub(old, new, text)
            if not place.exists() or place.read_text() != text:
                place.write_text(text)
    return target


def libraries() -> str:
    """The linker's arguments for googletest and Abseil."""
    names = ["absl_strings", "absl_str_format", "absl_synchronization", "absl_time", "absl_flags_parse"]
    names += ["absl_hash", "absl_flat_hash_set", "absl_raw_hash_set", "absl_statusor", "absl_status"]
    names += [
        "absl_random_random",
        "absl_node_hash_set",
        "absl_cleanup",
        "absl_cord",
        "gtest",
        "gmock",
        "benchmark",
    ]
    got = subprocess.run(["pkg-config", "--libs", *names], capture_output=True, text=True, check=True)
    return f"-Wl,--start-group {got.stdout.strip()} -Wl,--end-group -lpthread -lrt -ldl"


def main() -> int:
    """Write build.ninja and the few headers that Debian does not have."""
    source, out = (Path(name).resolve() for name in sys.argv[1:3])
    for name, text in SHIMS.items():
        (out / "shims" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / "shims" / name).write_text(text)
    (out / "prefix.h").write_text(PREFIX)
    source = copied(source, out / "source")
    targets = read(source / TESTS / "BUILD")
    lines = [RULES.format(shims=out / "shims", source=source, libraries=libraries())]
    objects: dict[str, str] = {}

    def compiled(path: str) -> str:
        if path not in objects:
            objects[path] = f"objects/{path.removesuffix('.cc')}.o"
            lines.append(f"build {objects[path]}: object {source / path} | prefix.h.gch")
        return objects[path]

    left_out = ("_test.cc", "fuchsia", "save_util_other", "test_main.cc", "errno_safe_allocator")
    util = [
        compiled(f"{UTIL}/{path.name}")
        for path in sorted((source / UTIL).glob("*.cc"))
        if not path.name.endswith(left_out[:1]) and not any(word in path.name for word in left_out[1:])
    ]
    main_object = compiled(f"{UTIL}/test_main.cc")
    for target in targets.values():
        if target.kind != "program" or any("benchmark" in need for need in target.needs):
            continue
        own, outside = closure(targets, target.name)
        parts = [compiled(f"{TESTS}/{name}") for name in dict.fromkeys(own)]
        parts += util + ([main_object] if "//test/util:test_main" in outside else [])
        lines.append(f"build programs/{target.name}: program {' '.join(parts)}")
        lines.append(f"build files/_main/{TESTS}/{target.name}: copy programs/{target.name}")
    lines.append(f"build files/_main/{TESTS}/exit_script: copy {source / TESTS / 'exit_script.sh'}")
    (out / "build.ninja").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
