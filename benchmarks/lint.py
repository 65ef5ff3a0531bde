"""How fast certificates are linted, beside pkilint on the same ones in the same run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta

from benchmarks.measurement import Measurement, milliseconds, rate
from smki.cli.defects import SEEDED_MOMENT
from smki.identity import EntityIdentifier, SerialNumber
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.request import hardware_module_alt_name, organisation_subject
from smki.pki.revocation_entry import RevocationReason, RevokedEntry, encode_entries
from smki.pki.x509 import encode_public_key, key_identifier
from smki.profile import IssuerFacts, lint
from smki.profile.build_list import ListContents, build_tbs_list
from smki.profile.lint_list import lint_tbs_list
from smki.profile.tables import ORGANISATION_CRL
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import extension, put, subject_key
from smki.testing.defects.sample_pki import ROLE

POPULATION = 1000
"""So many different certificates, each with its own key, serial number and Entity Identifier, so that no cache helps
that would not help with as many real ones."""


def population(pki: SamplePki) -> list[tuple[bytes, Certificate]]:
    """(certificate, that of its issuer): Device and Organisation Certificates by turns."""
    issuers = {base: Certificate.from_der(pki.good_bytes(base)) for base in (Base.ISSUING_DCA, Base.ISSUING_OCA)}
    made = []
    for number in range(POPULATION):
        base = Base.ORGANISATION if number % 2 else Base.DEVICE
        entity = EntityIdentifier((0x00DB_1234_0000_0000 + number).to_bytes(8, "big"))
        parts = pki.good(base)
        parts = subject_key(encode_public_key(pki.point(f"subject {number}")))(parts, pki)
        parts = put(serial_number=der.integer(pki.serial_number(f"{number}").value))(parts, pki)
        if base is Base.DEVICE:
            parts = extension(Oid.SUBJECT_ALT_NAME, hardware_module_alt_name(entity))(parts, pki)
        else:
            parts = put(subject=organisation_subject(ROLE, entity))(parts, pki)
        issuer = base.issuer
        assert issuer is not None
        made.append((parts.encoded(), issuers[issuer]))
    return made


def _each(function: Callable[[bytes], object], certificates: Sequence[bytes]) -> Callable[[], object]:
    """Calls *function* on one certificate after the other."""
    endless = itertools.cycle(certificates)
    return lambda: function(next(endless))


def run() -> list[Measurement]:
    """Certificates a second, on one core."""
    pki = SamplePki(SEEDED_MOMENT, "benchmark")
    pairs = population(pki)
    certificates = [data for data, _ in pairs]
    facts = {data: IssuerFacts.of(issuer) for data, issuer in pairs}
    requests, lists = [pki.good_bytes(Base.DEVICE_REQUEST)], [pki.good_bytes(Base.CRL)]
    pkilint = rate(_each(pkilint_function(), certificates), seconds=2)
    ours = rate(_each(lint, certificates))
    return [
        Measurement("pkilint: certificates", pkilint, "/s"),
        Measurement(
            "lint: certificates", ours, "/s", 5000, note=f"{ours / pkilint:.0f} times pkilint, on the same ones"
        ),
        Measurement(
            "lint: certificates, with the issuer's signature",
            rate(_each(lambda data: lint(data, issuer=facts[data]), certificates)),
            "/s",
        ),
        Measurement("lint: a certification request, with its signature", rate(_each(lint, requests)), "/s"),
        Measurement("lint: a revocation list of three entries", rate(_each(lint, lists)), "/s"),
        *_long_lists(pki),
    ]


def _long_lists(pki: SamplePki) -> list[Measurement]:
    """A list of 100,000 entries with reasons, built and linted."""
    before = SEEDED_MOMENT - timedelta(days=1)
    entries = [
        RevokedEntry(SerialNumber(1 << 126 | number * 0x9E3779B97F4A7C15), before, RevocationReason.KEY_COMPROMISE)
        for number in range(100_000)
    ]
    contents = ListContents(
        pki.name(Base.ISSUING_OCA),
        key_identifier(pki.point(Base.ISSUING_OCA.value)),
        1,
        SEEDED_MOMENT,
        SEEDED_MOMENT + timedelta(hours=48),
        encode_entries(entries),
    )
    tbs = build_tbs_list(ORGANISATION_CRL, contents)
    return [
        Measurement(
            "a list of 100,000 entries built", milliseconds(lambda: build_tbs_list(ORGANISATION_CRL, contents)), "ms"
        ),
        Measurement(
            "a list of 100,000 entries linted",
            milliseconds(lambda: lint_tbs_list(tbs, ORGANISATION_CRL, IssuerFacts())),
            "ms",
        ),
    ]


def pkilint_function() -> Callable[[bytes], object]:
    """pkilint's lint of a certificate by RFC 5280, decoders made once."""
    from pkilint import loader
    from pkilint.pkix import certificate, extension, name

    validator = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    load = loader.RFC5280CertificateDocumentLoader()
    return lambda data: validator.validate(load.load_der_document(data, "").root)
