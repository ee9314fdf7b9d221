"""What many rules are made of: numbers in their range, words of a list, names, keys, references."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.causes import invalid, not_supported, parted, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.validation import go
from sekisho.kube.names import dns_label, dns_subdomain, label_key, label_value
from sekisho.kube.quantity import QuantityError, parse
from sekisho.kube.selectors import label_selector_problems

Raw = Mapping[str, Any]
Causes = Iterator[Cause]

NOT_NEGATIVE: Final = "must be greater than or equal to 0"
POSITIVE: Final = "must be greater than 0"
PORT: Final = "must be between 1 and 65535, inclusive"
IP: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")

MAX_ID: Final = 2**31 - 1
IDENTITY: Final = f"must be between 0 and {MAX_ID}, inclusive"


def get(value: Any, *path: str) -> Any:
    """The value at a path, None where there is none."""
    for step in path:
        value = value.get(step) if isinstance(value, (dict, Mapping)) else None
    return value


def rows(value: Any, *path: str) -> Sequence[Raw]:
    """The objects of the list at a path; what is none counts as an empty one."""
    found = get(value, *path)
    return [row if isinstance(row, Mapping) else {} for row in found] if isinstance(found, list) else []


def numbered(value: Any, *path: str, at: str) -> Iterable[tuple[str, Raw]]:
    """The objects of a list, each with its path."""
    return ((f"{at}[{index}]", row) for index, row in enumerate(rows(value, *path)))


def not_negative(at: str, value: Any) -> Causes:
    """A number that is none or more."""
    if isinstance(value, int) and value < 0:
        yield invalid(at, value, NOT_NEGATIVE)


def not_negatives(at: str, value: Any, *names: str) -> Causes:
    """The same of several fields."""
    for name in names:
        yield from not_negative(f"{at}.{name}", get(value, name))


def port(at: str, value: Any) -> Causes:
    """The number of a port."""
    number = value if isinstance(value, int) else 0
    if not 0 < number < 65_536:
        yield invalid(at, number, PORT)


_NAMED_PORT: Final = re.compile(r"[-a-z0-9]+")


def named_port(at: str, value: Any) -> Causes:
    """The number or the name of a port."""
    if not isinstance(value, str):
        yield from port(at, value)
        return
    for text in port_name_problems(value):
        yield invalid(at, value, text)


def port_name_problems(value: str) -> Iterator[str]:
    """Why a text is no name of a port (IANA service names)."""
    if len(value) > 15:
        yield "must be no more than 15 characters"
    if not _NAMED_PORT.fullmatch(value):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", value):
        yield "must contain at least one letter (a-z)"
    if "--" in value:
        yield "must not contain consecutive hyphens"
    if value.startswith("-") or value.endswith("-"):
        yield "must not begin or end with a hyphen"


def identity(at: str, value: Any) -> Causes:
    """The number of a user or a group."""
    if isinstance(value, int) and not 0 <= value <= MAX_ID:
        yield invalid(at, value, IDENTITY)


def one_of(at: str, value: Any, words: Sequence[str], *, needed: bool = False) -> Causes:
    """A word of a list; an absent one passes unless it is needed."""
    if value in (None, ""):
        if needed:
            yield required(at)
    elif value not in words:
        yield not_supported(at, value, words)


def named(at: str, value: Any, check: Callable[[str], Iterable[str]], *, needed: bool = False) -> Causes:
    """A name in one of the forms that names have."""
    if value in (None, ""):
        if needed:
            yield required(at)
        return
    for text in check(str(value)):
        yield invalid(at, value, text)


def label(at: str, value: Any, *, needed: bool = False) -> Causes:
    """A DNS label."""
    return named(at, value, dns_label, needed=needed)


NO_NAME: Final = dns_subdomain("")
"""What is said of an empty name where a subdomain is wanted."""


def subdomain(at: str, value: Any, *, needed: bool = False) -> Causes:
    """A DNS subdomain."""
    return named(at, value, dns_subdomain, needed=needed)


def qualified(at: str, value: Any) -> Causes:
    """A name with a prefix or without."""
    for text in label_key(str(value or "")):
        yield invalid(at, value or "", text.replace("a valid label key", "a qualified name"))


def labels(at: str, value: Any) -> Causes:
    """A map of labels."""
    for key, text in value.items() if isinstance(value, Mapping) else ():
        for problem in label_key(key):
            yield invalid(at, key, problem)
        for problem in label_value(text) if isinstance(text, str) else ():
            yield invalid(at, text, problem)


def selector(at: str, value: Any) -> Causes:
    """A LabelSelector."""
    if value is not None:
        for _, text in label_selector_problems(value):
            found = parted(text)
            yield Cause(reason=found.reason, message=found.message, field=f"{at}.{found.field}")


_CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_TEXT: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def config_key(at: str, value: str) -> Causes:
    """A key of a ConfigMap or Secret."""
    if len(value) > 253:
        yield invalid(at, value, "must be no more than 253 characters")
    if not _CONFIG_KEY.fullmatch(value):
        yield invalid(at, value, _KEY_TEXT)
    elif value == ".":
        yield invalid(at, value, "must not be '.'")
    elif value == "..":
        yield invalid(at, value, "must not be '..'")
    elif value.startswith(".."):
        yield invalid(at, value, "must not start with '..'")


def address(at: str, value: Any) -> Causes:
    """An IP address."""
    try:
        ipaddress.ip_address(str(value or ""))
    except ValueError:
        yield invalid(at, value or "", IP)


def network(at: str, value: Any) -> Causes:
    """A network."""
    if parsed_network(value) is None:
        yield invalid(at, value or "", CIDR)


def parsed_network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A network, None for what is none."""
    try:
        return ipaddress.ip_network(str(value or ""), strict=False) if "/" in str(value) else None
    except ValueError:
        return None


_PERCENT: Final = re.compile(r"[0-9]+%")
_PERCENT_TEXT: Final = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
    "used for validation is '[0-9]+%')"
)


def share(at: str, value: Any) -> Causes:
    """A number or a percentage of at most a hundred."""
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield go.shown_as(at, go.int_or_string(value), _PERCENT_TEXT)
        elif int(value[:-1]) > 100:
            yield go.shown_as(at, go.int_or_string(value), "must not be greater than 100%")
    else:
        yield from not_negative(at, value)


def amount(value: Any) -> Any:
    """A quantity as a number, None for what is none."""
    try:
        return parse(str(value)).value
    except QuantityError:
        return None


def same(new: Raw, old: Raw | None, *path: str) -> bool:
    """Whether a change leaves a field alone."""
    return old is None or get(new, *path) == get(old, *path)


def fixed(new: Raw, old: Raw | None, *names: str) -> Causes:
    """Fields that never change."""
    for name in names:
        if not same(new, old, name):
            yield invalid(name, get(new, name), "field is immutable")
