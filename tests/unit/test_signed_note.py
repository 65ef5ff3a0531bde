"""Signed notes as C2SP signed-note and Go's golang.org/x/mod/sumdb/note have them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smki.keys.signed_note import NoteSigner, NoteVerifier, NotSigned
from smki.problem import Malformed

# The example in the documentation of Go's package.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
GO_NOTE = f"{GO_TEXT}\n\u2014 PeterNeumann {GO_SIGNATURE}\n"

SIGNER = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))


def test_a_note_that_go_signed() -> None:
    verifier = NoteVerifier.parse(GO_KEY)
    assert str(verifier) == GO_KEY
    assert verifier.open(GO_NOTE, "note") == GO_TEXT


def test_signatures_of_others_are_ignored_but_a_wrong_one_is_not() -> None:
    mine = SIGNER.sign(GO_TEXT)
    both = GO_NOTE + mine.rpartition("\n\n")[2]
    assert SIGNER.verifier.open(both, "note") == GO_TEXT
    assert NoteVerifier.parse(GO_KEY).open(both, "note") == GO_TEXT
    with pytest.raises(NotSigned):
        SIGNER.verifier.open(GO_NOTE, "note")
    with pytest.raises(NotSigned):
        SIGNER.verifier.open(both.replace("think", "thank"), "note")
    namesake = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    with pytest.raises(NotSigned):
        namesake.verifier.open(mine, "note")


def test_the_text_can_have_empty_lines() -> None:
    text = "one\n\ntwo\n"
    assert SIGNER.verifier.open(SIGNER.sign(text), "note") == text


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 na+me AAAAAAAA\n",
        "text\n\n\u2014 name AAAAAA==\n",
        "text\n\n\u2014 name !!!!\n",
        SIGNER.sign("a\n").removesuffix("\n"),
        SIGNER.sign("a\tb\n"),
        SIGNER.sign("a\n") + "\u2014 name AAAAAAAA\n" * 64,
        SIGNER.sign("a" * 100_000 + "\n"),
    ],
)
def test_what_is_no_note(note: str) -> None:
    with pytest.raises(Malformed) as raised:
        SIGNER.verifier.open(note, "note")
    assert raised.value.problems[0].code == "note.malformed"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("PeterNeumann", "Peter"),
        GO_KEY.replace("+ARpc", "+BRpc"),
        GO_KEY[:-4],
        GO_KEY + "!",
        "a b+" + GO_KEY.partition("+")[2],
    ],
)
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(Malformed) as raised:
        NoteVerifier.parse(key)
    assert raised.value.problems[0].code == "note.key"
