"""The golden files: what is issued today is what was issued when they were committed, byte for byte."""

from pathlib import Path

import pytest

from fixtures.make import make, requests
from smki import Application, CertificateKind, Issued, Refusal, Smki
from smki.pki.pem import decode_input
from tests.commands import apply
from tests.support import PROJECT

FIXTURES = PROJECT / "fixtures"


def test_they_are_made_again_the_same(tmp_path: Path) -> None:
    for folder in ("golden", "csr"):
        (tmp_path / folder).mkdir()
    make(tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {
        path.relative_to(FIXTURES): path.read_bytes()
        for path in FIXTURES.rglob("*")
        if path.suffix in (".pem", ".csr", ".md")
    }
    assert made == kept
    assert len(made) == 4 + 16 + 2 + 6 + 1


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, _, code in requests()])
def test_the_example_requests_do_as_they_say(smki: Smki, name: str, code: str) -> None:
    data = decode_input((FIXTURES / "csr" / name).read_bytes())[0].der
    kind = CertificateKind.ORGANISATION if name.startswith("supplier") else CertificateKind.DEVICE
    outcome = apply(smki, Application(kind=kind, request=data))
    if code:
        assert isinstance(outcome, Refusal)
        assert [problem.code for problem in outcome.problems] == [code]
    else:
        assert isinstance(outcome, Issued)
