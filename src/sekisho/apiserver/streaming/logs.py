"""``pods/log``: the lines that a client asks for (PodLogOptions)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sekisho.apiserver import status
from sekisho.apiserver.route import Call
from sekisho.apiserver.runtime import Log, LogLine
from sekisho.apiserver.status import Cause
from sekisho.kube.decode import parse_time
from sekisho.kube.gvk import GVK

OPTIONS = GVK("", "v1", "PodLogOptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """Which lines, and how they are written."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    limit: int | None = None
    since: datetime | None = None

    @classmethod
    def of(cls, call: Call) -> LogOptions:
        """From the parameters of a call. Raises ApiError (422)."""
        seconds = _number(call, "sinceSeconds", 1)
        since = parse_time(call.query.get("sinceTime", ""))
        if seconds is not None:
            since = datetime.now(UTC) - timedelta(seconds=seconds)
        return cls(
            follow=call.flag("follow"),
            previous=call.flag("previous"),
            timestamps=call.flag("timestamps"),
            tail=_number(call, "tailLines", 0),
            limit=_number(call, "limitBytes", 1),
            since=since,
        )


def _number(call: Call, name: str, least: int) -> int | None:
    text = call.query.get(name, "")
    if not text:
        return None
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 12:
        raise status.bad_request(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    value = int(text)
    if value < least:
        word = "greater than or equal to 0" if least == 0 else "greater than 0"
        cause = Cause(
            reason="FieldValueInvalid", message=f"Invalid value: {value}: must be {word}", field=name
        )
        raise status.invalid(OPTIONS, call.target.name, [cause])
    return value


def chosen(lines: Sequence[LogLine], options: LogOptions) -> Sequence[LogLine]:
    """The lines of the past that are asked for."""
    since = options.since
    found = [line for line in lines if since is None or line.when >= since]
    return found if options.tail is None else found[max(0, len(found) - options.tail) :]


async def written(log: Log, options: LogOptions) -> AsyncIterator[bytes]:
    """The text of a log, until its limit."""
    left = options.limit
    async for line in _lines(log, options):
        text = _stamped(line) if options.timestamps else line.text
        if left is None:
            yield text
            continue
        yield text[:left]
        left -= len(text)
        if left <= 0:
            return


async def _lines(log: Log, options: LogOptions) -> AsyncIterator[LogLine]:
    for line in chosen(log.lines, options):
        yield line
    if options.follow and log.more is not None:
        async for line in log.more:
            yield line


def _stamped(line: LogLine) -> bytes:
    moment = line.when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    return moment.encode() + b" " + line.text
