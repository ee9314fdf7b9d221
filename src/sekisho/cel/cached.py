"""Programs from the disk."""

from __future__ import annotations

from sekisho import __version__
from sekisho.cel.environment import Environment
from sekisho.cel.image import FORMAT, Image
from sekisho.cel.nodes import Node
from sekisho.cel.program import Program
from sekisho.diag import Source
from sekisho.lang.programs import Programs


def program_cache(root: str | None) -> Programs:
    """The cache of CEL programs in a cache folder (see ``sekisho.cache``); None keeps nothing."""
    return Programs(root, kind="cel", form=FORMAT)


def cached(source: str | Source, environment: Environment, cache: Programs) -> Program:
    """What ``compile`` gives; from the cache if that was done before."""
    named = source if isinstance(source, Source) else Source("<input>", source)
    parts = (__version__, *environment.salt, "", named.text)
    key = cache.key(*(part.encode("utf-8", "surrogatepass") for part in parts))
    image = Image.of_row(cache.get(key))
    if image is None:
        program = _compile(named, environment)
        cache.put(key, program.image.row())
        return program
    return Program(named, environment, image, lambda: _root(named, environment))


def _compile(source: Source, environment: Environment) -> Program:
    from sekisho.cel.compiler import compile  # programs from the cache do not need it

    return compile(source, environment)


def _root(source: Source, environment: Environment) -> Node:
    from sekisho.cel.compiler import checked

    return checked(source, environment)
