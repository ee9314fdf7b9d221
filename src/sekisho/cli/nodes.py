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
    """Whether there is to be a node, and which images stand for this machine's root."""

    asked: bool = False
    host_images: tuple[str, ...] = ()


def node_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of a command, which is given ``node`` (NodeAsked)."""

    @click.option("--node", "asked", is_flag=True, help="Run Pods, in sandboxes. Takes Linux and root.")
    @click.option(
        "--host-image",
        "host_images",
        multiple=True,
        metavar="PATTERN",
        help="With --node: images that stand for this machine's own root, beside sekisho.dev/host.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, asked: bool, host_images: tuple[str, ...], **more: Any) -> Any:
        if host_images and not asked:
            raise click.UsageError("--host-image is for --node")
        return command(*args, node=NodeAsked(asked=asked, host_images=host_images), **more)

    return wrapped


def node_of(asked: NodeAsked, folder: Path) -> Node | None:
    """The node of the cluster in a folder, None without --node. Raises DiagnosticError (API020)."""
    if not asked.asked:
        return None
    from sekisho.node import Node, NodeSettings

    return Node.of(NodeSettings(folder=folder.absolute() / "node", host_images=asked.host_images))
