"""DER, read element by element."""

import datetime as dt

import pytest

from sekisho.rego.builtins.x509 import der
from sekisho.rego.builtins.x509.der import Malformed, Reader


def test_elements_one_after_the_other():
    reader = Reader(b"\x02\x01\x05\x30\x03\x01\x01\xff\x06\x03\x55\x1d\x11")
    assert reader.next(der.INTEGER).integer() == 5
    assert reader.maybe(der.OID) is None
    assert reader.next(der.SEQUENCE).inside().next(der.BOOLEAN).boolean() is True
    assert reader.next(der.OID).oid() == (2, 5, 29, 17)
    reader.end()


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"\x00\x80", 128), (b"\xff", -1), (b"\x09\x00", 2304)],
)
def test_integers_are_signed(content, value):
    assert Reader(b"\x02" + bytes([len(content)]) + content).next().integer() == value


@pytest.mark.parametrize(
    ("data", "time"),
    [
        (b"\x17\x0d490101000000Z", dt.datetime(2049, 1, 1, tzinfo=dt.UTC)),
        (b"\x17\x0d500101000000Z", dt.datetime(1950, 1, 1, tzinfo=dt.UTC)),
        (b"\x18\x0f20500101000000Z", dt.datetime(2050, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_times(data, time):
    assert Reader(data).next().time() == time


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x02\x02\x05",
        b"\x02\x81\x01\x05",  # a length that is longer than it need be
        b"\x02\x80\x05\x00\x00",  # an indefinite length
        b"\x02\x85\x01\x00\x00\x00\x00",
        b"\x1f\x81\x01\x00",  # a long tag
    ],
)
def test_what_is_not_der(data):
    with pytest.raises(Malformed):
        Reader(data).next()
