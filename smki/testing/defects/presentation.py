"""What is put before a Relying Party to show it a defect: a certificate, the path above it, and the lists."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smki.pki.certificate import read_certificate
from smki.sec.role import KeyUsage
from smki.testing.defects.cast import ROLE, Base, Cast
from smki.testing.defects.catalogue import Defect, suffix
from smki.testing.defects.parts import CertificateParts
from smki.testing.defects.verdict import Verdict

GOOD = "good"
"""The directory of the good twins."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """Names of files, relative to the directory that the defects are written to."""

    certificate: str
    """The one to be relied on."""
    chain: tuple[str, ...]
    """The issuing authorities above it, from below."""
    trust_anchor: str
    """The root."""
    crl: str | None
    arl: str | None
    role: str | None
    """The Remote Party Role that the certificate is to be relied on for; None for a Device's."""
    key_usage: str


def good_file(base: Base) -> str:
    """The file of a good twin."""
    return f"{GOOD}/{base.value}{suffix(base)}"


def below_file(defect: Defect) -> str:
    """The file of the certificate that was issued below a defective authority of another name."""
    return f"{defect.name}-below.der"


def issued_below(defect: Defect, cast: Cast) -> bytes | None:
    """A certificate (DER) issued by the authority with the defect; None where the good one names it already.

    Everything in it is right but what follows from the authority's name.
    """
    if not defect.base.is_authority or defect.base in (Base.ROOT_OCA, Base.ROOT_DCA):
        return None
    subject = read_certificate(defect.make(cast)).subject
    if subject is None or subject.encoded == cast.name(defect.base):
        return None
    leaf = cast.good(Base.DEVICE if defect.base.is_of_device else Base.ORGANISATION)
    assert isinstance(leaf, CertificateParts)
    return replace(leaf, issuer=subject.encoded).encoded()


def presentation(defect: Defect, cast: Cast) -> Presentation | None:
    """How the defect comes before a Relying Party; None for a request, on which nobody relies."""
    base = defect.base
    if base.is_request:
        return None
    if base.is_of_device:
        leaf, issuing, root = Base.DEVICE, Base.ISSUING_DCA, Base.ROOT_DCA
    else:
        leaf, issuing, root = Base.ORGANISATION, Base.ISSUING_OCA, Base.ROOT_OCA
    files = {member: good_file(member) for member in (leaf, issuing, root, Base.CRL, Base.ARL)}
    chain: tuple[str, ...] = (files[issuing],)
    if defect.verdict is Verdict.AUTHORITY_OFFERED:
        files[leaf], chain = defect.file, ()
    else:
        files[base] = defect.file
        chain = (files[issuing],)
        if issued_below(defect, cast) is not None:
            files[leaf] = below_file(defect)
        if defect.issuer is issuing and base is issuing:
            chain = (defect.file, good_file(issuing))
    role, usage = defect.wanted or (ROLE.label, KeyUsage.DIGITAL_SIGNATURE.label)
    return Presentation(
        certificate=files[leaf],
        chain=chain,
        trust_anchor=files[root],
        crl=None if base.is_of_device else files[Base.CRL],
        arl=None if base.is_of_device else files[Base.ARL],
        role=None if base.is_of_device else role,
        key_usage=usage,
    )
