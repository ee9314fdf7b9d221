"""AssignImage: sets the domain, path, and tag or digest of an image, each by itself (policy.md 1.7).

An image is split at the first ``/``, if what stands before it looks like a domain, and at the first ``:`` or
``@`` after that. The parts to set are checked so that splitting the result gives these parts again: else the
mutation would not converge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sekisho.diag import Path
from sekisho.kube.fielderror import shown
from sekisho.kube.schema import ABSENT
from sekisho.policy import codes
from sekisho.policy.mutation.edit import Context, SetError, go_type
from sekisho.policy.mutation.location import Item
from sekisho.policy.mutation.mutator import Mutator, Reader, Terminal

_DOMAIN: Final = re.compile(r"([A-Za-z0-9_][\w-]*\.[\w.-]*\w|localhost)(:[0-9]+)?", re.ASCII)
_PATH: Final = re.compile(r"[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(
    r":\w[\w.-]{0,127}|@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}", re.ASCII
)
_TAG_START: Final = re.compile(r"[:@]")


class Image(NamedTuple):
    """The parts of an image: ``tag`` with its ``:`` or ``@``; each may be empty."""

    domain: str
    path: str
    tag: str

    def __str__(self) -> str:
        return f"{self.domain}/{self.path}{self.tag}" if self.domain else f"{self.path}{self.tag}"


def split_image(text: str) -> Image:
    """The parts of any text, even of one that is no image."""
    domain, rest = _split_domain(text)
    tag = _TAG_START.search(rest)
    return Image(domain, rest[: tag.start()], rest[tag.start() :]) if tag else Image(domain, rest, "")


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return first, rest
    return "", text


def image_problems(image: Image) -> Iterator[tuple[str, str]]:
    """What is wrong with parts to set: the parameter (empty for all of them), and Gatekeeper's text."""
    if image == Image("", "", ""):
        yield "", "at least one of [assignDomain, assignPath, assignTag] must be set"
    if image.domain and not _DOMAIN.fullmatch(image.domain):
        message = f'assignDomain "{image.domain}" must be a fully-qualified domain name or localhost'
        yield "assignDomain", message
    if image.path and not _PATH.fullmatch(image.path):
        yield "assignPath", f'assignPath "{image.path}" must be a valid docker image path'
    elif not image.domain and _split_domain(image.path)[0]:
        message = (
            f'assignDomain must be set if the first part of assignPath "{image.path}" can be interpreted as '
            "part of a domain"
        )
        yield "assignPath", message
    if image.tag and not _TAG.fullmatch(image.tag):
        message = (
            f"assignTag \"{image.tag}\" must be a valid docker image tag or digest starting with ':' or '@'"
        )
        yield "assignTag", message


@dataclass(frozen=True, slots=True)
class ImageParts:
    """A setter that sets the parts that are not empty."""

    parts: Image

    def value(self, old: Any, context: Context) -> Any:  # noqa: ARG002 - the protocol's shape
        """The image with these parts."""
        if old is not ABSENT and not isinstance(old, str):
            message = (
                "expected value at AssignImage location to be a string, "
                f"got {shown(old)} of type {go_type(old)}"
            )
            raise SetError(message)
        parts = split_image("" if old is ABSENT else old)
        return str(Image(*(new or was for was, new in zip(parts, self.parts, strict=True))))

    def item(self, context: Context) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's shape
        """Never an item: the loader refuses it."""
        raise SetError("mutator does not understand keyed lists")


def load(reader: Reader) -> Mutator:
    """The mutator in an AssignImage; raises DiagnosticError with everything that is wrong with it."""
    location = reader.location()
    reader.forbid_metadata(location, "assignImage")
    reader.forbid_key(location)
    name = reader.object.name
    if location.steps and isinstance(location.steps[-1], Item):
        reader.forbid(f"assignImage {name} cannot mutate list-type fields")
    parameters = reader.parameters
    fields = ("assignDomain", "assignPath", "assignTag")
    parts = Image(*(parameters.get(field) or "" for field in fields))
    for field, problem in image_problems(parts):
        path: Path = ("spec", "parameters", field) if field else ("spec", "parameters")
        reader.report(codes.BAD_IMAGE, path, f"assignImage {name} has invalid parameters: {problem}")
    tests, match, apply_to = reader.path_tests(location), reader.match(), reader.apply_to()
    reader.finish()
    return Mutator(
        object=reader.object,
        location=location,
        tests=tests,
        setter=ImageParts(parts),
        match=match,
        apply_to=apply_to,
        terminal=Terminal.STRING,
        must_terminate=True,
        warnings=reader.warnings(),
    )
