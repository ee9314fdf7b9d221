from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sekisho.cache import Cache, default_root, digest_of

KEY = digest_of(b"one")
OTHER = digest_of(b"two")


def make(root: Path | None, *, version: str = "1", max_bytes: int = 10_000, kind: str = "rego") -> Cache:
    return Cache(str(root) if root else None, kind=kind, format_version=version, max_bytes=max_bytes)


def code_of(cache: Cache) -> str:
    return cache.problem.code.id if cache.problem else ""


def entry_of(root: Path, key: str = KEY, version: str = "1") -> Path:
    return root / "rego" / f"{version}-{key}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "new" / "sekisho"


def test_what_was_put_is_got_by_another_instance(root: Path) -> None:
    make(root).put(KEY, b"payload")
    assert make(root).get(KEY) == b"payload"


def test_an_empty_payload_is_not_a_miss(root: Path) -> None:
    cache = make(root)
    cache.put(KEY, b"")
    assert cache.get(KEY) == b""


def test_the_last_put_stands(root: Path) -> None:
    cache = make(root)
    cache.put(KEY, b"old")
    cache.put(KEY, b"new")
    assert cache.get(KEY) == b"new"


@pytest.mark.parametrize("other", [{"version": "2"}, {"kind": "cel"}])
def test_kinds_and_versions_are_apart(root: Path, other: dict[str, str]) -> None:
    make(root).put(KEY, b"payload")
    assert make(root, **other).get(KEY) is None  # type: ignore[arg-type]


def test_folders_and_files_are_ours_alone(root: Path) -> None:
    old = os.umask(0)
    try:
        make(root).put(KEY, b"payload")
    finally:
        os.umask(old)
    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / "rego").stat().st_mode & 0o777 == 0o700
    assert entry_of(root).stat().st_mode & 0o777 == 0o600


def test_no_temporary_file_stays(root: Path) -> None:
    make(root).put(KEY, b"payload")
    assert [file.name for file in (root / "rego").iterdir()] == [f"1-{KEY}"]


def test_digests_tell_parts_apart() -> None:
    assert digest_of(b"a", b"bc") != digest_of(b"ab", b"c")


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"SEKISHO_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"SEKISHO_CACHE": "", "HOME": "/h"}, None),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/sekisho"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/sekisho"),
        ({"HOME": "/h/"}, "/h/.cache/sekisho"),
        ({"HOME": ""}, None),
        ({}, None),
    ],
)
def test_where_the_cache_is(environ: dict[str, str], root: str | None) -> None:
    assert default_root(environ) == root


# what is wrong with an entry makes it a miss


@pytest.mark.parametrize("keep", [0, 10, 31, 32, 35])
def test_a_truncated_entry_is_a_miss_and_goes(root: Path, keep: int) -> None:
    make(root).put(KEY, b"payload")
    file = entry_of(root)
    file.write_bytes(file.read_bytes()[:keep])
    assert make(root).get(KEY) is None
    assert not file.exists()


def test_a_changed_entry_is_a_miss(root: Path) -> None:
    make(root).put(KEY, b"payload")
    file = entry_of(root)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert make(root).get(KEY) is None


def test_an_entry_under_another_key_is_a_miss(root: Path) -> None:
    make(root).put(KEY, b"payload")
    entry_of(root).rename(entry_of(root, OTHER))
    assert make(root).get(OTHER) is None


def test_an_entry_of_another_version_is_a_miss_under_this_one(root: Path) -> None:
    make(root, version="0").put(KEY, b"payload")
    entry_of(root, version="0").rename(entry_of(root))
    assert make(root).get(KEY) is None


def test_a_planted_entry_without_its_check_is_a_miss(root: Path) -> None:
    cache = make(root)
    cache.put(OTHER, b"")
    entry_of(root).write_bytes(b"\x80\x04planted code" * 10)
    assert cache.get(KEY) is None


def test_an_entry_that_is_a_link_is_a_miss(root: Path, tmp_path: Path) -> None:
    make(root).put(KEY, b"payload")
    target = tmp_path / "target"
    entry_of(root).rename(target)
    entry_of(root).symlink_to(target)
    assert make(root).get(KEY) is None


def test_a_write_replaces_a_link_and_does_not_follow_it(root: Path, tmp_path: Path) -> None:
    cache = make(root)
    cache.put(OTHER, b"")
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    entry_of(root).symlink_to(target)
    cache.put(KEY, b"payload")
    assert target.read_bytes() == b"precious"
    assert cache.get(KEY) == b"payload"


def test_a_fifo_in_place_of_an_entry_does_not_hang(root: Path) -> None:
    cache = make(root)
    cache.put(OTHER, b"")
    os.mkfifo(entry_of(root))
    assert cache.get(KEY) is None


def test_a_folder_in_place_of_an_entry_is_a_miss(root: Path) -> None:
    cache = make(root)
    cache.put(OTHER, b"")
    entry_of(root).mkdir()
    assert cache.get(KEY) is None
    cache.put(KEY, b"payload")
    assert code_of(cache) == "SRC101"


# a folder that others may write is not used at all


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702, 0o755, 0o701])
@pytest.mark.parametrize("below", ["", "rego"])
def test_a_folder_open_to_others_is_not_used(root: Path, mode: int, below: str) -> None:
    make(root).put(KEY, b"payload")
    (root / below).chmod(mode)
    cache = make(root)
    assert cache.get(KEY) is None
    cache.put(OTHER, b"payload")
    assert not entry_of(root, OTHER).exists()
    assert code_of(cache) == "SRC100"


def test_a_folder_of_another_user_is_not_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root).put(KEY, b"payload")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    cache = make(root)
    assert cache.get(KEY) is None
    assert code_of(cache) == "SRC100"
    assert cache.problem is not None
    assert "another user" in cache.problem.message


@pytest.mark.parametrize("below", ["", "rego"])
def test_a_linked_folder_is_not_used(root: Path, tmp_path: Path, below: str) -> None:
    make(root).put(KEY, b"payload")
    (root / below).rename(tmp_path / "moved")
    (root / below).symlink_to(tmp_path / "moved")
    cache = make(root)
    assert cache.get(KEY) is None
    assert code_of(cache) == "SRC100"


def test_a_file_in_place_of_the_folder_is_not_used(root: Path) -> None:
    root.parent.mkdir()
    root.write_text("")
    cache = make(root)
    cache.put(KEY, b"payload")
    assert code_of(cache) == "SRC100"


def test_a_folder_swapped_after_the_check_is_not_followed(root: Path, tmp_path: Path) -> None:
    cache = make(root)
    cache.put(KEY, b"payload")
    root.rename(tmp_path / "moved")
    (root / "rego").mkdir(parents=True)
    entry_of(root).write_bytes(b"planted")
    assert cache.get(KEY) == b"payload"


# no disk, no cache, one warning


def test_without_a_root_there_is_no_cache_and_no_warning() -> None:
    cache = make(None)
    cache.put(KEY, b"payload")
    assert cache.get(KEY) is None
    assert cache.problem is None


def test_a_parent_that_is_a_file_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = make(tmp_path / "file" / "sekisho")
    cache.put(KEY, b"payload")
    assert cache.get(KEY) is None
    assert code_of(cache) == "SRC101"


def test_a_disk_that_cannot_be_written_means_no_cache() -> None:
    cache = make(Path("/proc/none/sekisho"))
    cache.put(KEY, b"payload")
    assert code_of(cache) == "SRC101"


def test_a_full_disk_leaves_no_rest_and_warns_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    cache = make(root)
    cache.put(OTHER, b"kept")
    monkeypatch.setattr(os, "write", full)
    cache.put(KEY, b"payload")
    first = cache.problem
    cache.put(KEY, b"payload")
    assert code_of(cache) == "SRC101"
    assert cache.problem is first
    monkeypatch.undo()
    assert [file.name for file in (root / "rego").iterdir()] == [f"1-{OTHER}"]
    assert make(root).get(OTHER) == b"kept"


def test_the_folder_may_be_deleted_at_any_time(root: Path) -> None:
    cache = make(root)
    cache.put(KEY, b"payload")
    entry_of(root).unlink()
    (root / "rego").rmdir()
    root.rmdir()
    assert cache.get(KEY) is None
    cache.put(KEY, b"again")
    assert cache.problem is None
    assert cache.get(KEY) == b"again"


# the bound


def keys(count: int) -> list[str]:
    return [digest_of(str(index).encode()) for index in range(count)]


def test_the_bound_holds_and_the_oldest_go(root: Path) -> None:
    for age, key in enumerate(reversed(keys(9))):
        make(root).put(key, bytes(1000))
        os.utime(entry_of(root, key), (1e9 - age, 1e9 - age))
    newest = digest_of(b"newest")
    make(root).put(newest, bytes(1000))
    left = {key for key in [*keys(9), newest] if entry_of(root, key).exists()}
    assert sum(entry_of(root, key).stat().st_size for key in left) <= 10_000
    assert newest in left
    assert keys(9)[0] not in left
    assert keys(9)[8] in left


def test_the_bound_holds_within_one_process(root: Path) -> None:
    cache = make(root)
    for key in keys(50):
        cache.put(key, bytes(1000))
    assert sum(file.stat().st_size for file in (root / "rego").iterdir()) <= 10_000


def test_entries_of_old_versions_count(root: Path) -> None:
    for key in keys(9):
        make(root, version="0").put(key, bytes(1000))
    make(root).put(KEY, bytes(1000))
    assert sum(file.stat().st_size for file in (root / "rego").iterdir()) <= 10_000
    assert make(root).get(KEY) == bytes(1000)


def test_a_payload_over_the_bound_is_not_kept(root: Path) -> None:
    cache = make(root)
    cache.put(KEY, bytes(10_000))
    assert cache.get(KEY) is None
    assert cache.problem is None


def test_use_keeps_an_entry_young(root: Path) -> None:
    make(root).put(KEY, b"payload")
    os.utime(entry_of(root), (1e9, 1e9))
    make(root).get(KEY)
    assert entry_of(root).stat().st_mtime > 1e9


def test_abandoned_temporary_files_are_cleared(root: Path) -> None:
    make(root).put(KEY, b"payload")
    rest = root / "rego" / ".new-0123"
    rest.write_bytes(b"half")
    os.utime(rest, (1e9, 1e9))
    make(root).put(OTHER, b"payload")
    assert not rest.exists()


def test_threads_and_instances_do_not_disturb_each_other(root: Path) -> None:
    wrong: list[bytes | None] = []

    def work() -> None:
        cache = make(root, max_bytes=3_000)
        for key in keys(40):
            cache.put(key, key.encode())
            got = cache.get(key)
            if got not in (None, key.encode()) or cache.problem:
                wrong.append(got)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_descriptors_are_closed_with_the_cache(root: Path) -> None:
    def count() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    make(root).put(KEY, b"payload")
    before = count()
    for _ in range(20):
        make(root).get(KEY)
    assert count() <= before
