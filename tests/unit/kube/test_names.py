from __future__ import annotations

import pytest

from sekisho.kube import names
from sekisho.kube.gvk import GVK

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
    "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
KEY = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize(
    ("check", "value", "wanted"),
    [
        (names.dns_label, "a-1", ()),
        (names.dns_label, "a" * 63, ()),
        (names.dns_label, "a" * 64, ("must be no more than 63 characters",)),
        (names.dns_label, "a.b", ("must not contain dots",)),
        (names.dns_label, "-a", (LABEL,)),
        (names.dns_label, "", (LABEL,)),
        (names.dns_label, "a\n", (LABEL,)),
        (names.dns_label, "ä" * 40, ("must be no more than 63 characters", LABEL)),
        (names.dns_1035_label, "a1", ()),
        (names.dns_1035_label, "1a", (LABEL_1035,)),
        (names.dns_1035_label, "a" * 64, ("must be no more than 63 characters",)),
        (names.dns_subdomain, "a.b-c.1", ()),
        (names.dns_subdomain, "a..b", (SUBDOMAIN,)),
        (names.dns_subdomain, "A", (SUBDOMAIN,)),
        (names.dns_subdomain, "a" * 254, ("must be no more than 253 characters",)),
        (names.path_segment, "system:node", ()),
        (names.path_segment, ".", ("may not be '.'",)),
        (names.path_segment, "a/b%c", ("may not contain '/'", "may not contain '%'")),
        (names.label_key, "app.kubernetes.io/name", ()),
        (names.label_key, "a_B.c", ()),
        (names.label_key, "", ("name part must be non-empty", f"name part {KEY}")),
        (names.label_key, "/a", ("prefix part must be non-empty",)),
        (names.label_key, "A/a", (f"prefix part {SUBDOMAIN}",)),
        (names.label_key, "a" * 64, ("name part must be no more than 63 bytes",)),
        (
            names.label_key,
            "a/b/c",
            (
                (
                    f"a valid label key {KEY} with an optional DNS subdomain prefix and '/' "
                    "(e.g. 'example.com/MyName')"
                ),
            ),
        ),
        (names.label_value, "", ()),
        (names.label_value, "a_B.c", ()),
        (names.label_value, "a b", (VALUE,)),
        (names.label_value, "a" * 64, ("must be no more than 63 bytes",)),
    ],
)
def test_values_are_checked_in_the_words_of_kubernetes(
    check: names.Check, value: str, wanted: tuple[str, ...]
) -> None:
    assert check(value) == wanted


def test_some_kinds_have_rules_of_their_own() -> None:
    assert names.name_check(GVK("", "v1", "Namespace"))("a.b")
    assert not names.name_check(GVK("", "v1", "Pod"))("a.b")
    assert not names.name_check(GVK("rbac.authorization.k8s.io", "v1", "ClusterRole"))("system:node")


@pytest.mark.parametrize(("value", "good"), [("web-", True), ("web", True), ("-", False), ("Web-", False)])
def test_a_generated_name_may_end_with_a_dash(value: str, good: bool) -> None:
    assert (not names.generate_name_check(GVK("", "v1", "Pod"))(value)) == good


def test_checks_take_linear_time() -> None:
    # Matching backtracks over one label only, so a long hostile name costs no more than it is long.
    assert names.dns_subdomain("a-" * 100_000 + "!")
    assert names.dns_subdomain("a." * 100_000 + "!")


def test_the_character_before_a_trailing_dash_is_masked_too() -> None:
    masked = [names.mask_trailing_dash(text) for text in ("abc-", "a_-", "-", "A-", "ab")]
    assert masked == ["aba", "aa", "-", "a", "ab"]
