"""The authorities known to a Relying Party, which of them issued which, and the paths from each to a trust anchor.

Anyone may offer authority certificates, so neither their number nor their names can be trusted. Starting from the trust
anchors, a certificate counts as issued once its signature verifies under an issued authority that may issue such
certificates. Paths through issued authorities are tried first, so certificates with the same name and key identifier
cannot displace the genuine one, whatever their number and order. Each certificate offered costs one signature
verification for each issued authority with the name in its issuer field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from smki.pki.certificate import Certificate
from smki.relying_party.anchor import Authority
from smki.relying_party.examine import Examined
from smki.sec.role import CertificateKind, KeyUsage

MAX_AUTHORITIES = 6
"""Maximum number of authorities in a path: SMKI has two above an end entity."""
MAX_PATHS = 24
"""Maximum number of paths tried for one certificate. Only authorities with verified signatures up to a trust anchor
count towards it, so reaching it takes more than 23 renewals of the same authority."""

Path = tuple[Authority, ...]
"""The authorities above an end entity, its issuer first. Ends with an anchor, or where no issuer was found."""

ISSUER_KINDS = {
    CertificateKind.ORGANISATION: CertificateKind.ISSUING_OCA,
    CertificateKind.DEVICE: CertificateKind.ISSUING_DCA,
    CertificateKind.ISSUING_OCA: CertificateKind.ROOT_OCA,
    CertificateKind.ISSUING_DCA: CertificateKind.ROOT_DCA,
    CertificateKind.ROOT_OCA: CertificateKind.ROOT_OCA,
    CertificateKind.ROOT_DCA: CertificateKind.ROOT_DCA,
}
"""The kinds of authority that issue certificates of each kind."""
_DCAS = (CertificateKind.ROOT_DCA, CertificateKind.ISSUING_DCA)


class PathsFound(NamedTuple):
    """The paths upwards from one certificate, most likely first; at least one, which may be empty.

    A tuple for speed: one is made for every verdict.
    """

    paths: tuple[Path, ...]
    is_issued: bool
    """Whether every signature along each of these paths, including the certificate's own, verifies up to a trust
    anchor. If not, no such path exists, and these paths only serve to explain what is wrong."""


class Authorities:
    """An immutable set of authorities, which threads may share.

    :param members: trust anchors and authorities that were offered, in any order.
    :param base: a set whose members are all in *members*; its signatures are not verified again.
    """

    def __init__(self, members: Iterable[Authority], base: Authorities | None = None) -> None:
        self._members = dict.fromkeys(members)
        self._by_name: dict[bytes, list[Authority]] = {}
        for member in sorted(self._members, key=lambda item: item.encoded):
            self._by_name.setdefault(member.name, []).append(member)
        self._issuers = self._find_issuers(base)
        self._paths: dict[Authority, tuple[Path, ...]] = {}
        for member in self._issuers:
            self._paths[member] = tuple(_first(self._issued_paths(member, ()), MAX_PATHS))
        self._able: dict[bytes, list[tuple[Authority, tuple[CertificateKind, ...], PathsFound]]] = {}
        for member, paths in self._paths.items():
            if paths:  # none to an authority that is too far from every anchor
                kinds = tuple(kind for kind in ISSUER_KINDS if may_issue(member, kind))
                self._able.setdefault(member.name, []).append((member, kinds, PathsFound(paths, True)))

    def __iter__(self) -> Iterator[Authority]:
        return iter(self._members)

    def extended(self, more: Iterable[Authority]) -> Authorities:
        """Return a set with these authorities and *more*."""
        added = [item for item in more if item not in self._members]
        return Authorities((*self._members, *added), self) if added else self

    def is_signed(self, below: Authority, issuer: Authority) -> bool:
        """Return whether the signature of *issuer* on the certificate of *below* was verified when the set was made."""
        return issuer in self._issuers.get(below, ())

    def is_issued(self, authority: Authority) -> bool:
        """Return whether the authority is an anchor, or has verified signatures up to one."""
        return authority in self._issuers

    def paths_above(self, examined: Examined) -> PathsFound:
        """Return the paths from the issuer of a certificate upwards."""
        certificate = examined.certificate
        if certificate is None:
            return PathsFound(((),), False)
        signers = [
            (item, found)
            for item, kinds, found in self._able.get(certificate.issuer, ())
            if examined.kind in kinds and item.verifies(certificate.signature, certificate.tbs)
        ]
        if len(signers) == 1:
            return signers[0][1]
        if signers:
            by_signer = dict(signers)
            ranked = [by_signer[item].paths for item in self._ranked(certificate) if item in by_signer]
            return PathsFound(tuple(path for paths in ranked for path in paths)[:MAX_PATHS], True)
        others = _first(self._climb(certificate, ()), MAX_PATHS)
        others.sort(key=lambda path: not (path and path[-1].is_anchor))
        return PathsFound(tuple(others) or ((),), False)

    def _find_issuers(self, base: Authorities | None) -> dict[Authority, tuple[Authority, ...]]:
        """Return the verified issuers of every issued authority, found from the anchors downwards."""
        by_issuer: dict[bytes, list[Authority]] = {}
        for member in self._members:
            if member.certificate is not None and not member.is_anchor:
                by_issuer.setdefault(member.certificate.issuer, []).append(member)
        found: dict[Authority, list[Authority]] = {member: [] for member in self._members if member.is_anchor}
        for anchor in found:
            if anchor.certificate is not None and anchor.certificate.issuer == anchor.name:
                found[anchor] += [anchor] if self._verifies(anchor, anchor, base) else []
        to_do = list(found)
        while to_do:
            issuer = to_do.pop()
            for below in by_issuer.get(issuer.name, ()):
                if below is issuer or not may_issue(issuer, below.kind) or not self._verifies(below, issuer, base):
                    continue
                if below not in found:
                    found[below] = []
                    to_do.append(below)
                found[below].append(issuer)
        return {below: tuple(issuers) for below, issuers in found.items()}

    def _verifies(self, below: Authority, issuer: Authority, base: Authorities | None) -> bool:
        if base is not None and below in base._members and base.is_issued(issuer):
            return base.is_signed(below, issuer)
        certificate = below.certificate
        return certificate is not None and issuer.verifies(certificate.signature, certificate.tbs)

    def _issued_paths(self, authority: Authority, path: Path) -> Iterator[Path]:
        longer = (*path, authority)
        if authority.is_anchor:
            yield longer
        elif len(longer) < MAX_AUTHORITIES and authority.certificate is not None:
            issuers = self._issuers[authority]
            for issuer in self._ranked(authority.certificate):
                if issuer in issuers and issuer not in longer:
                    yield from self._issued_paths(issuer, longer)

    def _climb(self, below: Certificate, path: Path) -> Iterator[Path]:
        """Yield paths found by name alone, to explain what is wrong if no signature leads to an anchor."""
        candidates = [item for item in self._ranked(below) if item not in path]
        if not candidates or len(path) == MAX_AUTHORITIES:
            yield path
            return
        for candidate in candidates:
            longer = (*path, candidate)
            above = candidate.certificate
            if candidate.is_anchor or above is None or above.issuer == above.subject:
                yield longer
            else:
                yield from self._climb(above, longer)

    def _ranked(self, below: Certificate) -> list[Authority]:
        """Return the authorities with the issuer's name, most likely first, in an order independent of the input."""
        named = self._by_name.get(below.issuer, [])
        if len(named) < 2:
            return named
        wanted = below.authority_key_identifier
        return sorted(
            named, key=lambda item: (item.key_identifier != wanted, item not in self._issuers, not item.is_anchor)
        )


def is_right_kind(issuer: Authority, kind: CertificateKind) -> bool:
    """Return whether the issuer is the right kind of authority for certificates of a kind."""
    wanted = ISSUER_KINDS[kind]
    return issuer.kind is wanted or (issuer.examined is None and issuer.kind in _DCAS and wanted in _DCAS)


def may_issue(issuer: Authority, kind: CertificateKind) -> bool:
    """Return whether the issuer is an authority of the right kind for such certificates and may sign certificates."""
    certificate = issuer.certificate
    if certificate is not None and not (certificate.is_authority and KeyUsage.KEY_CERT_SIGN in certificate.key_usages):
        return False
    return is_right_kind(issuer, kind)


def _first(paths: Iterator[Path], count: int) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found.append(path)
        if len(found) == count:
            break
    return found
