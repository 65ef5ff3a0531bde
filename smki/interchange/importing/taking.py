"""Lints what was found and keeps it in the ledger, apart from what was issued here."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from smki.interchange.importing.contents import Found, FoundKey, FoundObject, Unreadable
from smki.interchange.naming import certificate_name
from smki.keys.private_key import key_to_pem, write_private_file
from smki.ledger import Reader
from smki.ledger.records import NewImport
from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.problem import Finding, Malformed, Problem, errors_among
from smki.profile.detect import Shape
from smki.profile.lint import Linted, lint_any

BATCH = 500
"""So many certificates are committed at once."""


class ImportStatus(enum.Enum):
    """What became of something that was found."""

    TAKEN = "taken"
    ALREADY_HERE = "already here"
    NOT_TAKEN = "not taken"


@dataclass(frozen=True)
class ImportOutcome:
    """What became of one thing that was found, and why."""

    source: str
    name: str
    taken: ImportStatus
    certificate: Certificate | None
    """None where it could not be read as one."""
    findings: tuple[Finding, ...]
    """What the lint found."""
    problems: tuple[Problem, ...]
    """Why it was not taken, or what the place that it was found in says wrongly."""

    @property
    def is_defective(self) -> bool:
        """Whether the lint found it to break a rule."""
        return bool(errors_among(self.findings))


class Importer:
    """Takes certificates in.

    :param store: stores a batch of certificates durably.
    :param policy_oid: the policy by which they are linted.
    :param issuers: certificates of authorities: of what they issued, the signature is checked too. By name and key
        identifier, for other PKIs have authorities of the same names.
    :param only_conformant: leave out what breaks a rule of its profile; otherwise it is taken, with what was found.
    """

    def __init__(
        self,
        ledger: Reader,
        store: Callable[[tuple[NewImport, ...]], None],
        policy_oid: str,
        issuers: Sequence[Certificate] = (),
        *,
        only_conformant: bool = False,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._policy_oid = policy_oid
        self._issuers: dict[bytes, list[Certificate]] = defaultdict(list)
        for issuer in issuers:
            self._issuers[issuer.subject].append(issuer)
        self._only_conformant = only_conformant
        self._waiting: dict[bytes, NewImport] = {}
        self.keys: dict[bytes, ec.EllipticCurvePrivateKey] = {}
        """The private keys that were found, by their public keys (SubjectPublicKeyInfo, DER)."""

    def take(self, found: Iterable[FoundObject]) -> Generator[ImportOutcome]:
        """Take everything in, a batch at a time; what became of each is told in its order.

        Close the generator, or go through it to its end, before the ledger is closed: what was told as taken is kept then.

        :raises LedgerUnavailable: when the ledger could not be written; the batches before are kept.
        """
        try:
            for each in found:
                match each:
                    case FoundKey():
                        self.keys[encode_public_key(public_point(each.key.public_key()))] = each.key
                    case Unreadable():
                        yield ImportOutcome(each.source, "", ImportStatus.NOT_TAKEN, None, (), each.problems)
                    case Found():
                        yield self._take(each)
        finally:
            self._commit()

    def _take(self, found: Found) -> ImportOutcome:
        try:
            certificate = Certificate.from_der(found.der)
        except Malformed as error:
            linted = lint_any(found.der, policy_oid=self._policy_oid)
            findings = tuple(linted.findings)
            return ImportOutcome(
                found.source, found.name, ImportStatus.NOT_TAKEN, None, findings, _why(found, linted, error)
            )
        linted = lint_any(found.der, issuer=self._issuer_of(certificate), policy_oid=self._policy_oid)
        findings = tuple(linted.findings)
        if self._is_here(certificate):
            return ImportOutcome(
                found.source, found.name, ImportStatus.ALREADY_HERE, certificate, findings, found.problems
            )
        defects = errors_among(findings)
        if self._only_conformant and (defects or found.problems):
            reasons = (*found.problems, *(defect.as_problem() for defect in defects))
            return ImportOutcome(found.source, found.name, ImportStatus.NOT_TAKEN, certificate, findings, reasons)
        self._waiting[certificate.sha256] = NewImport(certificate, found.source, found.name, findings)
        if len(self._waiting) >= BATCH:
            self._commit()
        return ImportOutcome(found.source, found.name, ImportStatus.TAKEN, certificate, findings, found.problems)

    def _issuer_of(self, certificate: Certificate) -> Certificate | None:
        """The authority that issued it, by its name and, where the certificate says it, its key."""
        named = self._issuers.get(certificate.issuer, [])
        if certificate.issuer == certificate.subject:
            return next((issuer for issuer in named if issuer.public_key_info == certificate.public_key_info), None)
        key = certificate.authority_key_identifier
        return next((issuer for issuer in named if key in (None, issuer.subject_key_identifier)), None)

    def _is_here(self, certificate: Certificate) -> bool:
        ours = self._ledger.certificate(certificate.serial_number)
        if ours is not None and ours.der == certificate.der:
            return True
        return certificate.sha256 in self._waiting or self._ledger.imports.holds(certificate.sha256)

    def _commit(self) -> None:
        if self._waiting:
            self._store(tuple(self._waiting.values()))
            self._waiting.clear()

    def write_keys(self, directory: Path, passphrase: bytes | None = None) -> list[Path]:
        """Write the private keys that were found to imported certificates, each in a file of its own (mode 0600).

        :param directory: made where it does not exist, for its owner alone.
        :param passphrase: with which they are encrypted (PKCS#8); None to leave them in the clear.
        :returns: the files that were written; one that is there already stays as it is.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = []
        for public_key_info, key in self.keys.items():
            for imported in self._ledger.imports.of_key(public_key_info)[:1]:
                path = directory / f"{certificate_name(imported.record.certificate, plain=False)}.key"
                if not path.exists():
                    write_private_file(path, key_to_pem(key, passphrase))
                    written.append(path)
        return written


def _why(found: Found, linted: Linted, error: Malformed) -> tuple[Problem, ...]:
    """Why it is no certificate that can be kept."""
    if linted.shape in (Shape.REQUEST, Shape.LIST):
        return (Problem(code="import.other", subject=found.source, seen=linted.title, expected="a certificate"),)
    return tuple(error.problems)
