"""The authorities of a home (Root OCA, Issuing OCAs, Root DCA and Issuing DCAs) and the location of their keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from smki.authority.certification_authority import CertificationAuthority, SigningKey
from smki.authority.issuance import Subject
from smki.identity import SerialNumber
from smki.keys.private_key import KeyStore, Randomness
from smki.ledger import CertificateRecord, Reader
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.request import public_point
from smki.pki.x509 import encode_attribute, encode_public_key
from smki.problem import IntegrityError, KeyUnusable, Malformed, Problem, SmkiError
from smki.profile import IssuerFacts
from smki.sec.role import CertificateKind, CertificateStatus, RemotePartyRole

AUTHORITY_NAMES = {
    CertificateKind.ROOT_OCA: "TA",
    CertificateKind.ISSUING_OCA: "T1",
    CertificateKind.ROOT_DCA: "TD",
    CertificateKind.ISSUING_DCA: "TD01",
}
"""Common names of the first authorities: T for test, and different from those of the published test PKI (ZA, Z1, E357,
0001)."""

ABOVE = {
    CertificateKind.ROOT_OCA: None,
    CertificateKind.ISSUING_OCA: CertificateKind.ROOT_OCA,
    CertificateKind.ROOT_DCA: None,
    CertificateKind.ISSUING_DCA: CertificateKind.ROOT_DCA,
}
"""The kind of authority that issues each kind of authority's certificate, in the order in which they are made."""

ISSUED_BY = {
    CertificateKind.ORGANISATION: CertificateKind.ISSUING_OCA,
    CertificateKind.DEVICE: CertificateKind.ISSUING_DCA,
}

AUTHORITY_ROLES = {
    CertificateKind.ROOT_OCA: RemotePartyRole.ROOT,
    CertificateKind.ISSUING_OCA: RemotePartyRole.ISSUING_AUTHORITY,
}
_NUMBERED = re.compile(r"(.*?)([0-9]+)\Z")


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """A new authority that has a key but no certificate yet."""

    name: str
    """Its common name."""
    subject: Subject
    facts: IssuerFacts
    """The issuer facts of a root, which issues its own certificate; None for others."""
    signing_key: SigningKey


class Hierarchy:
    """The authorities of a home. They are read from the ledger each time, because another process may have added one.

    :param keys: the store of their private keys.
    """

    def __init__(self, keys: KeyStore, randomness: Randomness) -> None:
        self._keys = keys
        self._randomness = randomness
        self._made: dict[SerialNumber, CertificationAuthority] = {}

    def of(self, record: CertificateRecord) -> CertificationAuthority:
        """Return the authority with a certificate."""
        authority = self._made.get(record.serial_number)
        if authority is None or authority.certificate.der != record.der:
            certificate = record.certificate
            authority = CertificationAuthority(
                certificate, SigningKey(certificate.subject, partial(self._load_key, certificate))
            )
            self._made[record.serial_number] = authority
        return authority

    def newest(self, reader: Reader, kind: CertificateKind) -> CertificationAuthority:
        """Return the newest authority of a kind that is not revoked.

        :raises IntegrityError: if there is none.
        """
        return self.of(_usable(reader, kind)[-1])

    def issuing(self, reader: Reader, kind: CertificateKind) -> list[CertificationAuthority]:
        """Return the authorities that issue certificates of a kind: the newest Issuing OCA, or every Issuing DCA.

        :raises IntegrityError: if there is none.
        """
        records = _usable(reader, ISSUED_BY[kind])
        return [self.of(record) for record in (records if kind is CertificateKind.DEVICE else records[-1:])]

    def new_authority(self, reader: Reader, kind: CertificateKind) -> NewAuthority:
        """Choose a name for a new authority, make its key and store the key.

        :raises Malformed: for a second root.
        """
        there = [record for record in reader.authorities() if record.kind is kind]
        if there and ABOVE[kind] is None:
            name = f"{kind.title} {there[0].certificate.common_name}"
            raise Malformed(
                Problem(
                    code="authority.second-root",
                    subject=kind.title,
                    seen=f"{name} already exists",
                    expected="an Issuing OCA or DCA",
                )
            )
        names = [record.certificate.common_name or "" for record in there]
        name = _next_name(names) if there else AUTHORITY_NAMES[kind]
        above = reader.numbers_above()  # an authority of that name may have been lost in a restore
        label = f"authority {kind.value}" + (f" {name}" if there else "") + (f" after {above}" if above else "")
        key = self._new_key(kind, name, label)
        point = public_point(key.public_key())
        subject = Subject(_subject(kind, name), encode_public_key(point))
        facts = IssuerFacts(name=subject.name, point=point)
        return NewAuthority(name, subject, facts, SigningKey(subject.name, lambda: key))

    def require_key(self, record: CertificateRecord) -> None:
        """Read the key of an authority, and compare it with its certificate.

        :raises NotFound: if it is missing.
        :raises IntegrityError: if it cannot be read, or is the key of another certificate.
        """
        self._load_key(record.certificate)

    def _new_key(self, kind: CertificateKind, name: str, label: str) -> ec.EllipticCurvePrivateKey:
        key, key_name = self._randomness.private_key(label), _key_name(kind, name)
        try:
            self._keys.write(key_name, key)
        except FileExistsError:
            # No certificate has this name: an earlier attempt was interrupted after it had stored the key. Use that
            # key.
            return self._keys.read(key_name)
        return key

    def unusable_keys(self, reader: Reader) -> list[Problem]:
        """Read the private key of every authority that is not revoked, and return why some cannot be used."""
        problems: list[Problem] = []
        for record in reader.authorities():
            if record.stored_status is not CertificateStatus.REVOKED:
                try:
                    self.of(record).signing_key.read()
                except KeyUnusable as error:
                    problems += error.problems
        return problems

    def _load_key(self, certificate: Certificate) -> ec.EllipticCurvePrivateKey:
        """Return the key of an authority.

        :raises KeyUnusable: if it cannot be used. Only the remedy of the command line names the file, because the error
            is also shown to those who apply for certificates.
        """
        key_name = _key_name(certificate.kind, certificate.common_name or "")
        name = f"{certificate.kind.title} {certificate.common_name}"
        given = {"file": self._keys.place(key_name)}
        try:
            key = self._keys.read(key_name)
        except SmkiError as error:
            (problem,) = error.problems
            # A remedy is only given for a missing or wrong passphrase.
            remedy = "authority.passphrase" if problem.remedy else "authority.key-file"
            raise KeyUnusable(replace(problem, subject=f"private key of {name}", remedy=remedy, given=given)) from None
        if public_point(key.public_key()) != certificate.point:
            raise KeyUnusable(
                Problem(
                    code="authority.key-mismatch",
                    subject=f"private key of {name}",
                    seen="the key of another certificate",
                    expected=f"the key of {name}",
                    given=given,
                )
            )
        return key


def _usable(reader: Reader, kind: CertificateKind) -> list[CertificateRecord]:
    usable = [
        record
        for record in reader.authorities()
        if record.kind is kind and record.stored_status is not CertificateStatus.REVOKED
    ]
    if not usable:
        raise IntegrityError(
            Problem(
                code="authority.missing",
                subject=kind.title,
                seen="all are revoked or missing",
                expected="a certificate that is not revoked",
                given={"kind": str(kind.value)},
            )
        )
    return usable


def _key_name(kind: CertificateKind, name: str) -> str:
    return kind.value if name == AUTHORITY_NAMES[kind] else f"{kind.value}-{name}"


def _next_name(names: list[str]) -> str:
    """Return the next name: ``T2`` after ``T1``, ``TD10`` after ``TD09``, ``T100`` after ``TD99``; four characters at
    most."""
    found = _NUMBERED.match(names[-1])
    stem, digits = found.groups() if found else (names[-1], "1")
    number = f"{int(digits) + 1:0{len(digits)}d}"
    return f"{stem[: 4 - len(number)]}{number}"


def _subject(kind: CertificateKind, name: str) -> bytes:
    common_name = encode_attribute(Oid.COMMON_NAME, der.printable_string(name))
    role = AUTHORITY_ROLES.get(kind)
    if role is None:
        return der.sequence(common_name)
    unit = encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.printable_string(role.hexadecimal))
    return der.sequence(unit, common_name)
