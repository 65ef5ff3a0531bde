"""EntityIdentifier and SerialNumber."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki import EntityIdentifier, SerialNumber
from smki.problem import Malformed

encoded = st.binary(min_size=8, max_size=8)


@given(encoded, st.sampled_from(["", "-", ":"]), st.booleans())
def test_every_written_form_reads_back(value: bytes, separator: str, upper: bool) -> None:
    text = value.hex(separator) if separator else value.hex()
    assert EntityIdentifier.parse(text.upper() if upper else text) == EntityIdentifier(value)


@given(encoded)
def test_what_is_written_reads_back(value: bytes) -> None:
    entity = EntityIdentifier(value)
    assert EntityIdentifier.parse(entity.hyphenated) == EntityIdentifier.parse(entity.hex) == entity


def test_the_form_of_the_repository() -> None:
    entity = EntityIdentifier.parse("90b3d51f30010000")
    assert str(entity) == "90-B3-D5-1F-30-01-00-00"
    assert entity.encoded == bytes.fromhex("90B3D51F30010000")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90B3D51F3001000",
        "90B3D51F300100000",
        "90-B3-D5-1F-30-01-00",
        "90-B3-D5-1F-30-01-00-0",
        "90-B3:D5-1F-30-01-00-00",
        "90B3-D51F-3001-0000",
        "90B3D51F3001000G",
        "９0B3D51F30010000",
        "90-B3-D5-1F-30-01-00-00-",
        "0x90B3D51F300100",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        EntityIdentifier.parse(text)
    (problem,) = caught.value.problems
    assert problem.code == "entity-identifier.malformed"
    assert problem.seen
    assert problem.expected
    assert problem.remedy


@given(st.text(max_size=40))
def test_arbitrary_text_never_breaks_it(text: str) -> None:
    try:
        EntityIdentifier.parse(text)
    except Malformed as error:
        assert error.code == "entity-identifier.malformed"


@pytest.mark.parametrize("length", [0, 7, 9])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(Malformed):
        EntityIdentifier(bytes(length))


@given(st.integers(1, (1 << 127) - 1))
def test_serial_numbers_compare_as_numbers(value: int) -> None:
    serial = SerialNumber(value)
    forms = [serial.hex, serial.hex.lower(), f"{value:x}", f"000{value:X}", serial.encoded.hex(":")]
    assert {SerialNumber.parse(form) for form in forms} == {serial} == {SerialNumber.from_bytes(serial.encoded)}
    assert len(serial.encoded) == 16


@pytest.mark.parametrize("text", ["", "0", "-1", "0x12", "12 34", "G", "1" * 41])
def test_no_serial_number(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        SerialNumber.parse(text)
    assert caught.value.code == "serial-number.malformed"
