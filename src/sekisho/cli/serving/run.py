"""One process that answers webhooks."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho.admission import Latest, Service, Settings
from sekisho.cli.inputs import read_objects
from sekisho.cli.serving.engines import EngineSnapshot, How, build, edition_of
from sekisho.web.patience import Bounds
from sekisho.web.server import Listener, Server

if TYPE_CHECKING:
    from sekisho.cli.serving.options import Serving
    from sekisho.web.server import TlsContext

BOUNDS: Final = Bounds(head=5.0, body=5.0, idle=120.0, connections=1_024)
"""An API server sends a request at once, and keeps a connection for 90 seconds; there are few of them."""


async def run(serving: Serving) -> int:
    """Serve until a signal says to stop."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    snapshots: Latest[EngineSnapshot] = Latest()
    service = Service(lambda: snapshots.current, Settings())
    listener = Listener.bind(serving.host or "0.0.0.0", serving.port)  # noqa: S104 - a webhook is asked by others
    server = Server(service.handle, bounds=BOUNDS)
    await server.serve(listener, _tls(serving))
    how = How(cache=serving.cache, external=serving.external)
    inputs = read_objects(serving.policies)
    snapshots.set(build(edition_of(inputs.objects), how))
    print(json.dumps({"port": listener.port}), flush=True)
    try:
        await stopped.wait()
    finally:
        listener.close()
        await server.stop()
        service.close()
    return 0


def _tls(serving: Serving) -> TlsContext | None:
    if not serving.cert_dir:
        return None
    from sekisho.diag import Secret
    from sekisho.web import Identity
    from sekisho.web.authority import server_context

    folder = Path(serving.cert_dir)
    chain, key = (folder / "tls.crt").read_text(), (folder / "tls.key").read_text()
    return server_context(Identity(chain=chain, key=Secret(key)))
