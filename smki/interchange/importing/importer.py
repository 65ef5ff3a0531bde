"""Lints the certificates found and stores them in the ledger, separate from those issued here."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from smki.interchange.importing.contents import Found, FoundKey, FoundObject, Unreadable
from smki.interchange.naming import certificate_name
from smki.keys.private_key import Passphrase, key_to_pem, write_private_file
from smki.ledger import Reader
from smki.ledger.records import NewImport
from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.problem import Finding, Malformed, Problem, errors_among
from smki.profile.detect import Shape
from smki.profile.lint import Linted, lint_any

BATCH = 500
"""Maximum number of certificates committed at once."""


class ImportStatus(enum.Enum):
    """The result for one object that was found."""

    IMPORTED = "taken"
    ALREADY_HERE = "already here"
    NOT_IMPORTED = "not taken"


@dataclass(frozen=True)
class ImportOutcome:
    """The result for one object that was found, with reasons."""

    source: str
    name: str
    status: ImportStatus
    certificate: Certificate | None
    """None if it could not be read as a certificate."""
    findings: tuple[Finding, ...]
    """The findings of the lint."""
    problems: tuple[Problem, ...]
    """Why it was not imported, or how it contradicts the place where it was found."""

    @property
    def is_defective(self) -> bool:
        """Whether the lint found a violation."""
        return bool(errors_among(self.findings))


class Importer:
    """Imports certificates.

    :param store: stores a batch of certificates durably before it returns.
    :param policy_oid: the policy used by the lint.
    :param issuers: certificates of authorities, used to check signatures. They are matched by name and key identifier,
        because authorities of different PKIs may have the same name.
    :param only_conformant: reject certificates that violate their profile; otherwise they are imported with the
        findings.
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
        """The private keys that were found, by public key (SubjectPublicKeyInfo, DER)."""

    def take(self, found: Iterable[FoundObject]) -> Generator[ImportOutcome]:
        """Import everything, a batch at a time; yield the outcomes in order, each once it is true.

        The outcomes of a batch are yielded after its commit, so that everything reported as imported is stored. If the
        generator is closed early, or reading fails, what was read until then is stored as well.

        :raises LedgerUnavailable: if the ledger could not be written; earlier batches remain stored, and nothing was
            yielded of the one that was lost.
        """
        held: list[ImportOutcome] = []
        try:
            for each in found:
                match each:
                    case FoundKey():
                        self.keys[encode_public_key(public_point(each.key.public_key()))] = each.key
                    case Unreadable():
                        held.append(ImportOutcome(each.source, "", ImportStatus.NOT_IMPORTED, None, (), each.problems))
                    case Found():
                        held.append(self._take(each))
                # Outcomes that wait for no commit are yielded at once; others are not held without bound.
                if not self._waiting or len(held) >= BATCH:
                    self._commit()
                    yield from held
                    held = []
        finally:
            self._commit()
        yield from held

    def _take(self, found: Found) -> ImportOutcome:
        try:
            certificate = Certificate.from_der(found.der)
        except Malformed as error:
            linted = lint_any(found.der, policy_oid=self._policy_oid)
            findings = tuple(linted.findings)
            return ImportOutcome(
                found.source, found.name, ImportStatus.NOT_IMPORTED, None, findings, _why(found, linted, error)
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
            return ImportOutcome(found.source, found.name, ImportStatus.NOT_IMPORTED, certificate, findings, reasons)
        self._waiting[certificate.sha256] = NewImport(certificate, found.source, found.name, findings)
        return ImportOutcome(found.source, found.name, ImportStatus.IMPORTED, certificate, findings, found.problems)

    def _issuer_of(self, certificate: Certificate) -> Certificate | None:
        """Return the authority that issued it, matched by name and, if present, key identifier."""
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
        batch, self._waiting = tuple(self._waiting.values()), {}
        if batch:
            self._store(batch)

    def write_keys(self, directory: Path, passphrase: Passphrase | None = None) -> list[Path]:
        """Write the private keys found for imported certificates, each to its own file (mode 0600).

        :param directory: created if it does not exist, accessible by its owner only.
        :param passphrase: encrypts them (PKCS#8); None to leave them unencrypted.
        :returns: the files written; existing files are left unchanged.
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
    """Return why it is not a certificate that can be stored."""
    if linted.shape in (Shape.REQUEST, Shape.LIST):
        return (Problem(code="import.other", subject=found.source, seen=linted.title, expected="a certificate"),)
    return tuple(error.problems)
