"""An examiner answers the same with templates as without, and learns only from what is in order."""

from __future__ import annotations

from dataclasses import fields

import pytest

from smki.pki.bounds import MAX_BYTES
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.x509 import key_usage_bit_string
from smki.relying_party.examine import Examined, Examiner, examine
from smki.relying_party.requirements import PROFILE
from smki.relying_party.verdict import Check, Outcome
from smki.sec.role import CertificateKind, KeyUsage
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import added, another, extension
from smki.testing.defects.sample_pki import Edit
from smki.testing.vectors import MOMENT

PKI = SamplePki(MOMENT, "examiner")
WRONG_USAGE = extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.CRL_SIGN))
UNKNOWN = added("1.2.3.4", b"\x05\x00", critical=True)


@pytest.mark.parametrize(
    ("base", "kind"),
    [(Base.ORGANISATION, CertificateKind.ORGANISATION), (Base.DEVICE, CertificateKind.DEVICE)],
)
def test_with_a_template_the_answer_is_the_same(base: Base, kind: CertificateKind) -> None:
    """Only the structure is missing, because it was not parsed."""
    examiner = Examiner()
    first, second = PKI.make(base), PKI.make(base, another("second"))
    examiner.learn(examiner.examine(first))
    found = examiner.examine(second)
    assert found.structure is None
    assert found == examine(second)
    assert found.kind is kind
    assert found.encoded == second
    plain = examine(second).certificate
    assert found.certificate is not None
    assert plain is not None
    for each in fields(Certificate):
        assert getattr(found.certificate, each.name) == getattr(plain, each.name), each.name
    assert (found.profile.outcome, found.profile.certificate) == (Outcome.HELD, found.label)
    examiner.learn(found)  # from what was read with a template, there is nothing to learn
    assert examiner.examine(first).structure is None


@pytest.mark.parametrize("edits", [(WRONG_USAGE,), (UNKNOWN,)], ids=["wrong usage", "unknown critical extension"])
def test_nothing_is_learnt_from_what_does_not_meet_its_profile(edits: tuple[Edit, ...]) -> None:
    examiner = Examiner()
    first, second = PKI.make(Base.DEVICE, *edits), PKI.make(Base.DEVICE, another("second"), *edits)
    examiner.learn(examiner.examine(first))
    found = examiner.examine(second)
    assert found == examine(second)
    assert found.structure is not None
    assert found.profile.outcome is Outcome.NOT_HELD


def test_what_is_too_large_is_not_read() -> None:
    encoded = bytes(MAX_BYTES + 1)
    seen, expected = "der.too-large at certificate: 65537 bytes", "at most 64 KiB, to bound the time of reading"
    profile = Check(PROFILE, "certificate", Outcome.NOT_HELD, seen, expected, "profile")
    assert examine(encoded) == Examined(encoded, None, CertificateKind.DEVICE, "certificate", profile, ())
    assert examine(encoded[1:]).label == "unreadable Device Certificate"
