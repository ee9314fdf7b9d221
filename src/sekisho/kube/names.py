"""Names, label keys and label values: what Kubernetes accepts, in its own words.

Each check returns the messages of what is wrong, none for a good value. The texts are those of
k8s.io/apimachinery, since people search for them. Lengths count bytes, as Go does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from sekisho.kube.gvk import GVK

Check = Callable[[str], tuple[str, ...]]
"""A value → what is wrong with it."""

LABEL_MAX: Final = 63
"""Bytes in a DNS label, a label's value, or the name part of a label key (RFC 1123; apimachinery)."""
SUBDOMAIN_MAX: Final = 253
"""Bytes in a DNS subdomain (RFC 1123)."""

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY_NAME: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = f"({_KEY_NAME})?"


def _max_length(limit: int, unit: str = "bytes") -> str:
    """Names are said to be too long in characters, labels in bytes; bytes are counted for both."""
    return f"must be no more than {limit} {unit}"


def _must(text: str, pattern: str, *examples: str) -> str:
    like = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {like}regex used for validation is '{pattern}')"


def _too_long(value: str, limit: int) -> bool:
    return len(value) > limit or len(value.encode("utf-8", "surrogatepass")) > limit


def dns_label(value: str) -> tuple[str, ...]:
    """A lower-case label of RFC 1123: the names of Namespaces, containers, ports' services."""
    wrong: list[str] = []
    if _too_long(value, LABEL_MAX):
        wrong.append(_max_length(LABEL_MAX, "characters"))
    if not re.fullmatch(_LABEL, value):
        if re.fullmatch(_SUBDOMAIN, value):
            wrong.append("must not contain dots")
        else:
            text = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
            wrong.append(_must(text, _LABEL, "my-name", "123-abc"))
    return tuple(wrong)


def dns_1035_label(value: str) -> tuple[str, ...]:
    """A label of RFC 1035, which starts with a letter: the names of Services before 1.34."""
    wrong: list[str] = []
    if _too_long(value, LABEL_MAX):
        wrong.append(_max_length(LABEL_MAX, "characters"))
    if not re.fullmatch(_LABEL_1035, value):
        text = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
            "alphabetic character, and end with an alphanumeric character"
        )
        wrong.append(_must(text, _LABEL_1035, "my-name", "abc-123"))
    return tuple(wrong)


def dns_subdomain(value: str) -> tuple[str, ...]:
    """A lower-case subdomain of RFC 1123: the names of most objects."""
    return _subdomain(value, "characters")


def _subdomain(value: str, unit: str) -> tuple[str, ...]:
    wrong: list[str] = []
    if _too_long(value, SUBDOMAIN_MAX):
        wrong.append(_max_length(SUBDOMAIN_MAX, unit))
    if not re.fullmatch(_SUBDOMAIN, value):
        text = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        wrong.append(_must(text, _SUBDOMAIN, "example.com"))
    return tuple(wrong)


def path_segment(value: str) -> tuple[str, ...]:
    """A name that need only fit into a URL: the names of RBAC's kinds."""
    if value in (".", ".."):
        return (f"may not be '{value}'",)
    return tuple(f"may not contain '{part}'" for part in ("/", "%") if part in value)


def label_key(value: str) -> tuple[str, ...]:
    """A label's or an annotation's key: a name, with a DNS subdomain and a slash before it or not."""
    parts = value.split("/")
    text = (
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character"
    )
    charset = _must(text, _KEY_NAME, "MyName", "my.name", "123-abc")
    if len(parts) > 2:
        message = f"a valid label key {charset} with an optional DNS subdomain prefix and '/'"
        return (f"{message} (e.g. 'example.com/MyName')",)
    wrong: list[str] = []
    name = parts[-1]
    if len(parts) == 2:
        if not parts[0]:
            wrong.append("prefix part must be non-empty")
        else:
            wrong += [f"prefix part {message}" for message in _subdomain(parts[0], "bytes")]
    if not name:
        wrong.append("name part must be non-empty")
    elif _too_long(name, LABEL_MAX):
        wrong.append(f"name part {_max_length(LABEL_MAX)}")
    if not re.fullmatch(_KEY_NAME, name):
        wrong.append(f"name part {charset}")
    return tuple(wrong)


def label_value(value: str) -> tuple[str, ...]:
    """A label's value."""
    wrong: list[str] = []
    if _too_long(value, LABEL_MAX):
        wrong.append(_max_length(LABEL_MAX))
    if not re.fullmatch(_VALUE, value):
        text = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        wrong.append(_must(text, _VALUE, "MyValue", "my_value", "12345"))
    return tuple(wrong)


_RBAC: Final = "rbac.authorization.k8s.io"

_NAME_CHECKS: Final[Mapping[tuple[str, str], Check]] = {
    ("", "Namespace"): dns_label,
    # 1.34 relaxed the names of Services from RFC 1035 to RFC 1123; what an older cluster refuses, its own
    # server will say.
    ("", "Service"): dns_label,
    (_RBAC, "Role"): path_segment,
    (_RBAC, "ClusterRole"): path_segment,
    (_RBAC, "RoleBinding"): path_segment,
    (_RBAC, "ClusterRoleBinding"): path_segment,
}


def name_check(gvk: GVK) -> Check:
    """How names of this kind are checked; kinds that are not listed need a DNS subdomain."""
    return _NAME_CHECKS.get((gvk.group, gvk.kind), dns_subdomain)


def mask_trailing_dash(value: str) -> str:
    """A prefix of names as it is checked: a dash at its end, and what stands before it, do not matter."""
    return f"{value[:-2]}a" if len(value) > 1 and value.endswith("-") else value


def generate_name_check(gvk: GVK) -> Check:
    """The same for ``generateName``: a trailing dash is masked, since a suffix will follow it."""
    check = name_check(gvk)
    return lambda value: check(mask_trailing_dash(value))
