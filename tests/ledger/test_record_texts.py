"""The texts of the record, byte for byte: whoever checks a proof has to make the same ones."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki.ledger.record import (
    VERSION,
    Columns,
    WrittenRow,
    entry_text,
    key_text,
    pack_rows,
    row_text,
    text_hash,
    unpack_rows,
    value_text,
)
from tests.ledger.test_merkle import sha256

HASH = bytes(range(32))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        ("", '""'),
        ("a b", '"a b"'),
        ('é"\n', '"\\u00e9\\"\\n"'),
        ("hex:00", '"text:hex:00"'),
        ("sha256:", '"text:sha256:"'),
        ("text:x", '"text:text:x"'),
        ("Hex:00", '"Hex:00"'),
        (b"", '"hex:"'),
        (b"\x00\xff", '"hex:00ff"'),
        (HASH, f'"hex:{HASH.hex()}"'),
        (HASH + b"\x20", f'"sha256:{hashlib.sha256(HASH + bytes([32])).hexdigest()}"'),
        (True, "1"),
        (False, "0"),
        (1.5, "1.5"),
        ({"b": [1, 2], "a": None}, '{"a":null,"b":[1,2]}'),
    ],
)
def test_the_text_of_a_value(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_the_text_of_a_row() -> None:
    columns = Columns(["b", None, "a", "c"])
    assert columns.text([1, "left out", "x", None]) == '{"a":"x","b":1}'
    assert columns.text([None, "left out", None, None]) == "{}"
    assert columns.text([None, None, b"\x01", 0]) == '{"a":"hex:01","c":0}'
    assert row_text("device", '{"a":1}') == '{"row":{"a":1},"table":"device"}'


def test_the_text_of_an_entry() -> None:
    """The hash of the rows is that of a Merkle tree over their hashes; of no rows, that of nothing."""
    one, other, packed = sha256(b"one"), sha256(b"other"), b"their keys"
    root = sha256(b"\x01" + one + other).hex()
    assert VERSION == 1
    assert entry_text('{"id":1}', [one, other], packed) == (
        f'{{"event":{{"id":1}},"record":1,"rows":2,"rowsRoot":"{root}","written":"{sha256(packed).hex()}"}}'
    )
    nothing = sha256(b"").hex()
    assert json.loads(entry_text("{}", [], b"")) == {
        "event": {}, "record": 1, "rows": 0, "rowsRoot": nothing, "written": nothing,
    }  # fmt: skip
    assert text_hash("{}") == sha256(b"\x00{}")


def test_the_key_of_a_row() -> None:
    assert key_text([7]) == b"7"
    assert key_text(["a"]) == b'"a"'
    assert key_text(["a", 7, b"\x01"]) == b'["a",7,"hex:01"]'


ROWS = st.builds(WrittenRow, st.integers(0, 255), st.binary(max_size=300), st.binary(min_size=32, max_size=32))


@given(st.lists(ROWS, max_size=5))
def test_rows_are_stored_and_read_again(rows: list[WrittenRow]) -> None:
    assert list(unpack_rows(pack_rows(rows))) == rows


def test_how_rows_are_stored() -> None:
    assert pack_rows([]) == b""
    packed = pack_rows([WrittenRow(3, b"k", HASH), WrittenRow(1, b"", HASH)])
    assert packed == b"\x03\x00\x01k" + HASH + b"\x01\x00\x00" + HASH
    long = WrittenRow(255, b"k" * 0x0102, HASH)
    assert pack_rows([long]) == b"\xff\x01\x02" + long.key + HASH
    assert list(unpack_rows(pack_rows([long, long]))) == [long, long]
    for cut in range(1, 35):
        found = unpack_rows(packed[:-cut])
        assert next(found) == WrittenRow(3, b"k", HASH)
        with pytest.raises(ValueError, match=f"^{len(packed) - cut} bytes, of which row 36 would end at "):
            next(found)
