"""The audit log: a line for every request, as kube-apiserver writes it (``audit.k8s.io/v1``, level Metadata).

What admission notes beside its verdict (``auditAnnotations`` of ValidatingAdmissionPolicies and of webhooks)
stands in the line of the request that it is about.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from sekisho.apiserver import names
from sekisho.apiserver.answer import Answer
from sekisho.apiserver.route import Call

_LOG: Final = logging.getLogger(__name__)
_NOTED: Final[ContextVar[dict[str, str] | None]] = ContextVar("audit annotations", default=None)

DECISION: Final = "authorization.k8s.io/decision"
ALLOWED: Final = {DECISION: "allow"}
MAX_ANNOTATION: Final = 10 * 1024
"""Letters of an annotation that are kept, as the original keeps them."""


def note(annotations: Mapping[str, str]) -> None:
    """Note something about the request that is under way; nothing where nobody keeps a log."""
    noted = _NOTED.get()
    if noted is not None:
        for key, text in annotations.items():
            noted.setdefault(key, text[:MAX_ANNOTATION])


class AuditLog:
    """Appends to a file that only its owner reads. Raises OSError where it cannot be opened."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._broken = False

    @contextmanager
    def about(self, call: Call) -> Iterator[list[Answer]]:
        """Around a request: its answer is put into the list, its line is written afterwards."""
        received, noted, answers = datetime.now(UTC), dict[str, str](), list[Answer]()
        token = _NOTED.set(noted)
        try:
            yield answers
        finally:
            _NOTED.reset(token)
            for answer in answers:
                self._write(_event(call, answer, noted, received))

    def _write(self, event: Mapping[str, Any]) -> None:
        try:
            os.write(self._file, orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            if not self._broken:
                _LOG.warning("the audit log cannot be written: %s", error.strerror)
            self._broken = True
        else:
            self._broken = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _event(call: Call, answer: Answer, noted: Mapping[str, str], received: datetime) -> dict[str, Any]:
    target, user = call.target, call.user
    rows = [(name, text) for name, texts in call.repeated.items() for text in texts]
    who: dict[str, Any] = {"username": user.username, "groups": list(user.groups)}
    if user.uid:
        who["uid"] = user.uid
    if user.extra:
        who["extra"] = {key: list(texts) for key, texts in user.extra.items()}
    event: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": names.new_uid(),
        "stage": "ResponseComplete" if answer.lines is None and answer.upgrade is None else "ResponseStarted",
        "requestURI": target.path + (f"?{urlencode(rows)}" if rows else ""),
        "verb": target.verb,
        "user": who,
        "userAgent": call.user_agent,
    }
    if target.resource:
        parts = {
            "resource": target.plural,
            "namespace": target.namespace,
            "name": target.name,
            "apiGroup": target.group,
            "apiVersion": target.version,
            "subresource": target.subresource,
        }
        event["objectRef"] = {key: text for key, text in parts.items() if text}
    return event | {
        "responseStatus": {"metadata": {}, "code": answer.code},
        "requestReceivedTimestamp": _moment(received),
        "stageTimestamp": _moment(datetime.now(UTC)),
        "annotations": {DECISION: "forbid", **noted},
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
