"""Verdicts a second, with path and both lists, beside what the cryptography alone would allow and what others do."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import which

from benchmarks.measurement import Measurement, rate
from benchmarks.raw import limits
from smki.clock import FixedClock
from smki.identity import SerialNumber
from smki.pki.certificate import Certificate, to_pem
from smki.pki.revocation_entry import RevokedEntry
from smki.profile.tables import TEST_POLICY_OID
from smki.relying_party import RelyingParty, RevocationLists
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import another
from smki.testing.vectors import MOMENT

ENTRIES = 100_000
CERTIFICATES = 500


def run() -> list[Measurement]:
    """Verdicts on Organisation and Device Certificates, each on another certificate than the one before."""
    pki = SamplePki(MOMENT, "benchmark")
    roots = [Certificate.from_der(pki.good_bytes(base)) for base in (Base.ROOT_OCA, Base.ROOT_DCA)]
    chain = [pki.good_bytes(base) for base in (Base.ISSUING_OCA, Base.ISSUING_DCA)]
    before = MOMENT - timedelta(days=30)
    entries = [RevokedEntry(SerialNumber((1 << 126) + 7919 * number), before) for number in range(ENTRIES)]
    crl, arl = pki.revocation_list(Base.CRL, revoked=entries), pki.good_bytes(Base.ARL)
    lists = RevocationLists.of([crl], [arl])
    party = RelyingParty(roots, lists, chain=chain, clock=FixedClock(MOMENT))
    raw = limits()["verify"]
    measurements = []
    for name, base in (("Organisation", Base.ORGANISATION), ("Device", Base.DEVICE)):
        certificates = [pki.make(base, another(f"{name} {at}")) for at in range(CERTIFICATES)]
        measured = rate(_turns(party, certificates, [MOMENT]), seconds=2.0)
        measurements.append(
            Measurement(f"verdict on an {name} Certificate".replace("an D", "a D"), measured, "/s", 3000, raw, _NOTE)
        )
    moments = [MOMENT + timedelta(seconds=at) for at in range(3600)]
    ticking = rate(_turns(party, certificates, moments), seconds=1.0)
    note = "the chain is judged again for every new second"
    measurements.append(Measurement("verdict, each at another second", ticking, "/s", note=note))
    organisation = pki.good_bytes(Base.ORGANISATION)
    measurements.append(_first_verdict(roots, chain, crl, arl, organisation))
    return [*measurements, *_openssl(roots, chain, crl, arl, organisation), *_certvalidator(pki)]


_NOTE = f"path, CRL of {ENTRIES} entries and ARL; another certificate each time, authorities and lists verified once"


def _turns(party: RelyingParty, certificates: list[bytes], moments: list[datetime]) -> Callable[[], object]:
    count = 0

    def one() -> None:
        nonlocal count
        count += 1
        verdict = party.verify(certificates[count % len(certificates)], at=moments[count % len(moments)])
        assert verdict.trusted, verdict.reason

    return one


def _first_verdict(
    roots: list[Certificate], chain: list[bytes], crl: bytes, arl: bytes, certificate: bytes
) -> Measurement:
    def cold() -> None:
        party = RelyingParty(roots, RevocationLists.of([crl], [arl]), chain=chain, clock=FixedClock(MOMENT))
        assert party.verify(certificate).trusted

    return Measurement(
        "first verdict, lists read and linted", 1000 / rate(cold, seconds=2.0), "ms", note=f"{len(crl)} bytes of CRL"
    )


def _openssl(
    roots: list[Certificate], chain: list[bytes], crl: bytes, arl: bytes, certificate: bytes
) -> list[Measurement]:
    if which("openssl") is None:
        return []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        (path / "roots").write_text("".join(root.as_pem() for root in roots))
        (path / "chain").write_text("".join(to_pem("CERTIFICATE", encoded) for encoded in chain))
        (path / "crls").write_text("".join(to_pem("X509 CRL", encoded) for encoded in (crl, arl)))
        leaf = path / "leaf"
        leaf.write_text(to_pem("CERTIFICATE", certificate))
        command = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-policy_check", "-policy", TEST_POLICY_OID]
        command += ["-attime", str(int(MOMENT.timestamp())), "-CAfile", str(path / "roots")]
        command += ["-untrusted", str(path / "chain"), "-CRLfile", str(path / "crls")]
        # Many in one process, so that the list is read once.
        many = [*command, *[str(leaf)] * 2000]
        seconds = 1 / rate(lambda: subprocess.run(many, check=True, capture_output=True), seconds=1.0, rounds=1)
        once = 1 / rate(
            lambda: subprocess.run([*command, str(leaf)], check=True, capture_output=True), seconds=1.0, rounds=1
        )
    each = 2000 / max(seconds - once, 1e-6)
    return [
        Measurement("the same by openssl verify", each, "/s", note="C, the list read already; its path checks only")
    ]


def _certvalidator(pki: SamplePki) -> list[Measurement]:
    try:
        import asyncio

        from asn1crypto import x509
        from pyhanko_certvalidator import CertificateValidator, ValidationContext
    except ImportError:
        return []
    root = x509.Certificate.load(pki.good_bytes(Base.ROOT_DCA))
    issuer = x509.Certificate.load(pki.good_bytes(Base.ISSUING_DCA))
    encoded = pki.good_bytes(Base.DEVICE)

    def one() -> None:
        context = ValidationContext(
            trust_roots=[root], other_certs=[issuer], moment=MOMENT, revocation_mode="soft-fail"
        )
        validator = CertificateValidator(x509.Certificate.load(encoded), validation_context=context)
        asyncio.run(validator.async_validate_usage({"digital_signature"}))  # type: ignore[no-untyped-call]

    return [
        Measurement(
            "a Device's path by pyhanko-certvalidator", rate(one, seconds=1.0), "/s", note="path alone, no lists"
        )
    ]
