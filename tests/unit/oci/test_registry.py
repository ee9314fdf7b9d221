"""Asking a registry: content, tokens, pages, redirects, and every trouble that one can make."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sekisho.diag import Deadline, DiagnosticError, Limit, Secret
from sekisho.oci.asking import Options, Registries
from sekisho.oci.content import INDEX, MANIFEST, Descriptor, Index, Manifest, Platform, parse
from sekisho.oci.credentials import Fixed, Login
from sekisho.oci.push import put_blob, put_manifest
from sekisho.oci.registry import Repository
from sekisho.oci.simulator import Fault, Registry, Traits
from sekisho.oci.source import image

NAME = "shop/cart"
LAYER = b"a layer" * 100

USUAL = Traits()

Work = Callable[[Registry, Repository, "Image"], Awaitable[None]]


class Image:
    """An image in a registry: its digest, and the descriptor of its layer."""

    def __init__(self, registry: Registry, name: str = NAME, content: bytes = LAYER, **more: Any) -> None:
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", **registry.put_blob(name, b"{}")}
        layer = {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            **registry.put_blob(name, content),
        }
        value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer], **more}
        self.size = len(json.dumps(value))
        self.digest = registry.put_manifest(name, value, tag=more.get("artifactType", "v1")[-5:])
        self.layer = Descriptor(media_type=layer["mediaType"], digest=layer["digest"], size=layer["size"])

    def signature(self, registry: Registry, kind: str, number: int = 0) -> str:
        """Something that refers to it."""
        subject = {"mediaType": MANIFEST, "digest": self.digest, "size": self.size}
        return Image(registry, content=b"%d" % number, subject=subject, artifactType=kind).digest


def run(work: Work, *, traits: Traits = USUAL, login: Login | None = None) -> None:
    async def main() -> None:
        async with Registry(traits) as registry:
            options = Options() if login is None else Options(keychain=Fixed(registry.host, login))
            async with Registries(options) as registries:
                repository = Repository(registries, registry.host, NAME)
                await work(registry, repository, Image(registry))

    asyncio.run(main())


def soon(seconds: float = 10) -> Deadline:
    return Deadline.after(seconds)


async def code(asking: Awaitable[Any]) -> tuple[str, str]:
    with pytest.raises(DiagnosticError) as caught:
        await asking
    (found,) = caught.value.diagnostics
    return found.code.id, found.message


def test_images_are_read_by_tag_and_by_digest() -> None:
    async def work(_: Registry, repository: Repository, made: Image) -> None:
        for which in ("v1", made.digest):
            content = await repository.manifest(which, deadline=soon())
            assert content is not None
            assert content.digest == made.digest
            found = parse(content)
            assert isinstance(found, Manifest)
            assert await repository.blob(found.layers[0], deadline=soon()) == LAYER

    run(work)


def test_what_is_not_there_is_none_and_no_error() -> None:
    async def work(_: Registry, repository: Repository, made: Image) -> None:
        assert await repository.manifest("v2", deadline=soon()) is None
        missing = Descriptor(media_type="x", digest=f"sha256:{'0' * 64}", size=3)
        assert await repository.blob(missing, deadline=soon()) is None
        other = Repository(repository.registries, repository.registry, "no/such")
        assert await other.tags(deadline=soon()) == ()
        assert await repository.referrers(made.digest, deadline=soon()) == ()

    run(work)


def test_indexes_lead_to_the_image_of_a_platform() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        rows = [
            {"mediaType": MANIFEST, "digest": made.digest, "size": made.size, "platform": platform}
            for platform in (
                {"os": "unknown", "architecture": "unknown"},
                {"os": "linux", "architecture": "amd64"},
            )
        ]
        value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": rows}
        registry.put_manifest(NAME, value, tag="multi")
        content, _ = await image(repository, "multi", Platform.of("linux/amd64"), deadline=soon())
        assert content.digest == made.digest
        arm = image(repository, "multi", Platform.of("linux/arm64"), deadline=soon())
        assert (await code(arm))[0] == "OCI011"
        assert (await code(image(repository, "multi", None, deadline=soon())))[0] == "OCI011"
        assert (await code(image(repository, "none", None, deadline=soon())))[0] == "OCI002"

    run(work)


@pytest.mark.parametrize("pages", [False, True], ids=["one-page", "pages"])
def test_lists_are_whole(pages: bool) -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        for number in range(5):
            registry.store(NAME).tags[f"t{number}"] = made.digest
        assert len(await repository.tags(deadline=soon())) == 6
        made_rows = {made.signature(registry, "application/x.sig", number) for number in range(5)}
        other = made.signature(registry, "application/x.other")
        found = await repository.referrers(made.digest, deadline=soon())
        assert {row.digest for row in found} == made_rows | {other}
        some = await repository.referrers(made.digest, deadline=soon(), artifact_type="application/x.other")
        assert other in {row.digest for row in some}

    run(work, traits=Traits(pages=pages))


def test_without_the_referrers_api_the_tag_schema_is_read_and_remembered() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        subject = {"mediaType": MANIFEST, "digest": made.digest, "size": made.size}
        config = (await put_blob(repository, b"{}", "application/x", deadline=soon())).raw()
        for kind in ("application/x.a", "application/x.b"):
            value = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": kind,
                "config": config,
                "layers": [],
                "subject": subject,
            }
            await put_manifest(repository, json.dumps(value).encode(), MANIFEST, deadline=soon())
        registry.seen.clear()
        for _ in range(2):
            found = await repository.referrers(made.digest, deadline=soon(), artifact_type="application/x.a")
            assert [row.artifact_type for row in found] == ["application/x.a"]
        asked = [row for row in registry.seen if "/referrers/" in row]
        assert len(asked) == 1

    run(work, traits=Traits(referrers=False))


@pytest.mark.parametrize(
    ("traits", "login"),
    [
        (Traits(tokens=True), None),
        (
            Traits(tokens=True, anonymous=False, users={"ann": "pw"}),
            Login(user="ann", password=Secret("pw")),
        ),
        (Traits(tokens=True, anonymous=False, users={"x": "refresh"}), Login(identity=Secret("refresh"))),
        (Traits(basic=True, users={"ann": "pw"}), Login(user="ann", password=Secret("pw"))),
    ],
    ids=["anonymous", "password", "identity", "basic"],
)
def test_who_asks_is_shown_as_the_registry_wants(traits: Traits, login: Login | None) -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        assert await repository.manifest("v1", deadline=soon()) is not None
        assert await repository.blob(made.layer, deadline=soon()) == LAYER
        # Refused once, a token once, then two answers.
        assert len(registry.seen) == (3 if traits.basic else 4)
        await put_blob(repository, b"new", "application/x", deadline=soon())

    run(work, traits=traits, login=login)


@pytest.mark.parametrize(
    ("traits", "login"),
    [
        (Traits(tokens=True, anonymous=False), None),
        (Traits(tokens=True, users={"ann": "pw"}), Login(user="ann", password=Secret("wrong"))),
        (Traits(basic=True), None),
        (Traits(basic=True, users={"ann": "pw"}), Login(user="ann", password=Secret("wrong"))),
    ],
    ids=["nobody", "wrong", "basic-nobody", "basic-wrong"],
)
def test_wrong_credentials_are_refused_and_never_shown(traits: Traits, login: Login | None) -> None:
    async def work(_: Registry, repository: Repository, made: Image) -> None:
        found, message = await code(repository.manifest(made.digest, deadline=soon()))
        assert found == "OCI004"
        assert "wrong" not in message

    run(work, traits=traits, login=login)


TROUBLES: list[tuple[str, Fault, str]] = [
    ("wrong bytes", Fault(what="manifests", kind="wrong"), "OCI005"),
    ("too few bytes", Fault(what="manifests", kind="truncated"), "OCI005"),
    ("a gigabyte", Fault(what="manifests", kind="huge"), "OCI007"),
    ("a byte at a time", Fault(what="manifests", kind="slow"), "OCI003"),
    ("nothing", Fault(what="manifests", kind="hang"), "OCI003"),
    ("500", Fault(what="manifests", kind="status", status=500), "OCI003"),
    (
        "503 and come back much later",
        Fault(what="manifests", kind="status", status=503, retry_after="900"),
        "OCI003",
    ),
    ("429", Fault(what="manifests", kind="status", status=429, retry_after="1"), "OCI003"),
    ("403", Fault(what="manifests", kind="status", status=403), "OCI004"),
    ("418", Fault(what="manifests", kind="status", status=418), "OCI004"),
    ("a circle", Fault(what="manifests", kind="redirect", to="/v2/shop/cart/manifests/v1"), "OCI003"),
    (
        "a redirect to plain text",
        Fault(what="manifests", kind="redirect", to="http://example.com/x"),
        "OCI003",
    ),
    ("a redirect to a file", Fault(what="manifests", kind="redirect", to="file:///etc/passwd"), "OCI003"),
    ("wrong bytes of a blob", Fault(what="blobs", kind="wrong"), "OCI005"),
    ("too few bytes of a blob", Fault(what="blobs", kind="truncated"), "OCI005"),
    ("a gigabyte of a blob", Fault(what="blobs", kind="huge"), "OCI005"),
    ("a blob, a byte at a time", Fault(what="blobs", kind="slow"), "OCI003"),
    ("referrers that are no JSON", Fault(what="referrers", kind="garbage"), "OCI006"),
    ("a gigabyte of referrers", Fault(what="referrers", kind="huge"), "OCI007"),
    ("referrers refused", Fault(what="referrers", kind="status", status=403), "OCI004"),
    ("referrers down", Fault(what="referrers", kind="status", status=502), "OCI003"),
    ("tags that are no JSON", Fault(what="tags", kind="garbage"), "OCI003"),
    ("no token", Fault(what="token", kind="status", status=500), "OCI003"),
    ("a token that is no JSON", Fault(what="token", kind="garbage"), "OCI003"),
    ("a gigabyte of a token", Fault(what="token", kind="huge"), "OCI003"),
    ("a token, a byte at a time", Fault(what="token", kind="slow"), "OCI003"),
]


@pytest.mark.parametrize(
    ("fault", "expected"), [row[1:] for row in TROUBLES], ids=[row[0] for row in TROUBLES]
)
def test_troubles_are_told_before_the_deadline(fault: Fault, expected: str) -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        registry.faults.append(fault)
        asking: dict[str, Callable[[Deadline], Awaitable[Any]]] = {
            "manifests": lambda end: repository.manifest(made.digest, deadline=end),
            "token": lambda end: repository.manifest(made.digest, deadline=end),
            "blobs": lambda end: repository.blob(made.layer, deadline=end),
            "referrers": lambda end: repository.referrers(made.digest, deadline=end),
            "tags": lambda end: repository.tags(deadline=end),
        }
        begun = time.monotonic()
        assert (await code(asking[fault.what](soon(0.6))))[0] == expected
        assert time.monotonic() - begun < 5.0

    run(work, traits=Traits(tokens=fault.what == "token"))


def test_a_registry_that_is_not_there_could_not_be_asked() -> None:
    async def main() -> None:
        async with Registries() as registries:
            repository = Repository(registries, "127.0.0.1:9", NAME)
            assert (await code(repository.manifest("v1", deadline=soon(0.5))))[0] == "OCI003"

    asyncio.run(main())


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_passes_is_waited_for(status: int) -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        registry.faults.append(Fault(what="manifests", kind="status", status=status, times=2))
        assert await repository.manifest(made.digest, deadline=soon()) is not None
        assert len(registry.seen) == 3

    run(work)


def test_later_is_as_late_as_the_registry_says() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        registry.faults.append(Fault(what="manifests", kind="status", status=429, retry_after="1", times=1))
        begun = time.monotonic()
        assert await repository.manifest(made.digest, deadline=soon()) is not None
        assert time.monotonic() - begun >= 1.0

    run(work)


def test_another_host_gets_no_credentials() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        async with Registry() as other:
            other.put_blob(NAME, LAYER)
            to = f"http://{other.host}/v2/{NAME}/blobs/{made.layer.digest}"
            registry.faults.append(Fault(what="blobs", kind="redirect", to=to))
            assert await repository.blob(made.layer, deadline=soon()) == LAYER
            assert other.shown == [""]
            assert registry.shown[-1].startswith("Bearer ")

    run(work, traits=Traits(tokens=True))


def test_another_host_that_asks_for_credentials_gets_none() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        async with Registry(Traits(tokens=True, anonymous=False)) as thief:
            to = f"http://{thief.host}/v2/{NAME}/blobs/{made.layer.digest}"
            registry.faults.append(Fault(what="blobs", kind="redirect", to=to))
            found, message = await code(repository.blob(made.layer, deadline=soon()))
            assert found == "OCI003"
            assert "wants credentials of its own" in message
            assert thief.shown == [""]

    login = Login(user="ann", password=Secret("pw"))
    run(work, traits=Traits(tokens=True, users={"ann": "pw"}), login=login)


def test_a_tag_that_came_under_another_digest_is_refused() -> None:
    async def work(registry: Registry, repository: Repository, _: Image) -> None:
        registry.faults.append(Fault(what="manifests", kind="wrong"))
        assert (await code(repository.manifest("v1", deadline=soon())))[0] == "OCI005"

    run(work)


def test_a_manifest_that_came_as_an_index_is_neither() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        registry.faults.append(Fault(what="manifests", kind="type"))
        content = await repository.manifest(made.digest, deadline=soon())
        assert content is not None
        with pytest.raises(DiagnosticError) as caught:
            parse(content)
        assert caught.value.diagnostics[0].code.id == "OCI006"

    run(work)


def test_blobs_that_are_announced_too_large_are_not_asked_for() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        few = Limit("a blob", 10, "bytes", "of this test")
        assert (await code(repository.blob(made.layer, deadline=soon(), limit=few)))[0] == "OCI007"
        assert registry.seen == []

    run(work)


def test_what_is_pushed_is_read_back_and_sent_once() -> None:
    async def work(registry: Registry, repository: Repository, _: Image) -> None:
        config = await put_blob(repository, b'{"a": 1}', "application/x", deadline=soon())
        registry.seen.clear()
        assert await put_blob(repository, b'{"a": 1}', "application/x", deadline=soon()) == config
        assert [row.partition(" ")[0] for row in registry.seen] == ["HEAD"]
        value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config.raw(), "layers": []}
        put = await put_manifest(repository, json.dumps(value).encode(), MANIFEST, deadline=soon(), tag="new")
        got = await repository.manifest("new", deadline=soon())
        assert got == put

    run(work)


def test_a_thousand_tokens_at_once_are_one() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        await repository.manifest("v1", deadline=soon())
        repository.registries._tokens.clear()
        registry.seen.clear()
        await asyncio.gather(*(repository.manifest(made.digest, deadline=soon(20)) for _ in range(100)))
        assert len([row for row in registry.seen if "/token" in row]) == 1

    run(work, traits=Traits(tokens=True))


def test_an_index_is_read_strictly() -> None:
    async def work(registry: Registry, repository: Repository, made: Image) -> None:
        value = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [{"mediaType": MANIFEST, "digest": made.digest, "size": made.size}],
        }
        digest = registry.put_manifest(NAME, value)
        content = await repository.manifest(digest, deadline=soon())
        assert content is not None
        found = parse(content)
        assert isinstance(found, Index)
        assert found.manifests[0].digest == made.digest

    run(work)
