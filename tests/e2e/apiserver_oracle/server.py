"""Starts a real kube-apiserver for recordings: ``python -m tests.e2e.apiserver_oracle.server PROGRAM FOLDER``.

PROGRAM is what ``build.sh`` built. Prints the address and the token of an administrator, and serves until it is
interrupted. The server is an empty cluster without controllers; service accounts are not admitted to Pods, since
their volumes have random names.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TOKEN = "admin"
SECONDS = 120.0
"""How long it may take until it is ready."""

FLAGS = (
    "--bind-address=127.0.0.1",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
    "--enable-priority-and-fairness=false",
)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def key(file: Path) -> None:
    """Write an RSA key, with which service accounts' tokens are signed."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    file.write_bytes(made.private_bytes(serialization.Encoding.PEM, form, plain))


def start(program: Path, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The process and its address, once it is ready."""
    folder.mkdir(parents=True, exist_ok=True)
    key(folder / "sa.key")
    (folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n", encoding="utf-8")
    port = free_port()
    flags = [
        *FLAGS,
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certificates'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-account-key-file={folder / 'sa.key'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(program), "-dir", str(folder), "--", *flags], stdout=log, stderr=log)
    url = f"https://127.0.0.1:{port}"
    wait(process, url)
    return process, url


def wait(process: subprocess.Popen[bytes], url: str) -> None:
    """Until the server says that it is ready."""
    context = ssl._create_unverified_context()
    asked = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {TOKEN}"})
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit("the server ended; its folder has the log")
        try:
            with urllib.request.urlopen(asked, context=context) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    process.terminate()
    raise SystemExit("the server did not become ready")


def main(arguments: list[str]) -> int:
    """Serve until interrupted."""
    program, folder = map(Path, arguments)
    process, url = start(program, folder)
    print(url, TOKEN, flush=True)
    try:
        process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
