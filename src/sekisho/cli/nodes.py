"""The options of ``sekisho up`` for a node, and the node that they ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sekisho.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAsked:
    """Whether there is to be a node, and where its images come from."""

    asked: bool = False
    images: tuple[str, ...] = ()
    pull: tuple[str, ...] = ()
    host_images: tuple[str, ...] = ()


def node_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of a command, which is given ``node`` (NodeAsked)."""

    @click.option("--node", "asked", is_flag=True, help="Run Pods, in sandboxes. Takes Linux and root.")
    @click.option(
        "--images",
        multiple=True,
        type=click.Path(exists=True, file_okay=False),
        metavar="DIR",
        help="With --node: an OCI layout, or a folder of layouts; repeatable.",
    )
    @click.option(
        "--pull",
        multiple=True,
        metavar="HOST",
        help="With --node: a registry that images may be pulled from, * for all; repeatable.",
    )
    @click.option(
        "--host-image",
        "host_images",
        multiple=True,
        metavar="PATTERN",
        help="With --node: images that stand for this machine's own root, beside sekisho.dev/host.",
    )
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        asked: bool,
        images: tuple[str, ...],
        pull: tuple[str, ...],
        host_images: tuple[str, ...],
        **more: Any,
    ) -> Any:
        if not asked and (images or pull or host_images):
            raise click.UsageError("--images, --pull and --host-image are for --node")
        node = NodeAsked(asked=asked, images=images, pull=pull, host_images=host_images)
        return command(*args, node=node, **more)

    return wrapped


def node_of(asked: NodeAsked, folder: Path) -> Node | None:
    """The node of the cluster in a folder, None without --node. Raises DiagnosticError (API020)."""
    if not asked.asked:
        return None
    from sekisho.node import Node, NodeSettings

    settings = NodeSettings(
        folder=folder.absolute() / "node",
        images=tuple(Path(path).absolute() for path in asked.images),
        pull=asked.pull,
        host_images=asked.host_images,
    )
    return Node.of(settings)
