"""One row of the catalogue of defects, and how it is made and presented to a Relying Party."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from smki.pki.certificate import read_certificate
from smki.profile.catalogue import CATALOGUE
from smki.sec.role import KeyUsage
from smki.testing.defects.case import Case, case_of, in_place_of
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import ROLE, Base, Edit, SamplePki


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One thing that is wrong with a certificate, request or list that is valid otherwise."""

    name: str
    base: Base
    """The valid certificate, request or list that it is made from."""
    wrong: str
    """Description of what is wrong."""
    edit: Edit
    codes: tuple[str, ...]
    """The codes of all that the lint finds, given the issuer's certificate and :attr:`asked`."""
    verdict: Expected
    """What a Relying Party decides about :meth:`case`."""
    openssl: Openssl
    clause: str
    """The clause that it breaks."""
    below: tuple[str, ...] = ()
    """For an authority's certificate: what the lint finds in a valid certificate or list of that authority."""
    issuer: Base | None = None
    """The authority whose certificate to give the lint as the issuer; None where there is none."""
    asked: str | None = None
    """The kind of certificate to lint it as; None to let the lint detect it."""
    wanted: tuple[str, str] | None = None
    """Role and key usage that the certificate is to be relied on for; None for those that it has."""

    def make(self, pki: SamplePki) -> bytes:
        """The certificate, request or list with the defect (DER, unless the encoding is the defect)."""
        return pki.make(self.base, self.edit)

    def made_below(self, pki: SamplePki) -> bytes | None:
        """A certificate (DER) issued by the authority with the defect; None where the valid one names it already.

        Everything in it is right but what follows from the authority's name.
        """
        if not self.base.is_authority or self.base.issuer is self.base:
            return None
        subject = read_certificate(self.make(pki)).subject
        if subject is None or subject.encoded == pki.name(self.base):
            return None
        encoded, leaf = subject.encoded, Base.DEVICE if self.base.is_of_device else Base.ORGANISATION
        return pki.make(leaf, lambda parts, _: replace(parts, issuer=encoded))

    def case(self, pki: SamplePki) -> Case | None:
        """What is presented to a Relying Party; None for a request, on which nobody relies.

        A defective list is given beside a valid certificate, a defective authority above one.
        """
        if self.base.is_request:
            return None
        made = self.make(pki)
        if self.verdict is Expected.AUTHORITY_OFFERED:
            fields: dict[str, Any] = {"certificate": made, "chain": ()}
        else:
            fields = in_place_of(self.base, made)
            if self.issuer is self.base is Base.ISSUING_DCA:
                fields["chain"] += (pki.good_bytes(self.base),)
            below = self.made_below(pki)
            if below is not None:
                fields["certificate"] = below
        role, usage = self.wanted or (ROLE.label, KeyUsage.DIGITAL_SIGNATURE.label)
        use = f"{'device' if self.base.is_of_device else role}/{usage}"
        return case_of(pki, self.name, self.wrong, self.verdict.code, self.base, use=use, **fields)

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.name + suffix(self.base)


def suffix(base: Base) -> str:
    """The suffix of the name of a file with such contents; all are DER."""
    if base.is_list:
        return ".crl"
    return ".csr" if base.is_request else ".der"


_DEFAULT = object()


def defect(
    base: Base,
    name: str,
    wrong: str,
    edit: Edit,
    codes: str,
    openssl: Openssl,
    verdict: Expected | None = None,
    *,
    clause: str = "",
    below: str = "",
    issuer: Base | object | None = _DEFAULT,
    asked: str | None = None,
    wanted: tuple[str, str] | None = None,
) -> Defect:
    """A row, with defaults for what usually follows.

    :param codes: separated by spaces. The first one's clause is the defect's unless another is given.
    :param verdict: by default that the certificate, or the list, breaks its profile.
    :param issuer: by default the one that issued the valid certificate or list.
    """
    found = tuple(codes.split())
    if verdict is None:
        verdict = Expected.LIST_PROFILE if base.is_list else Expected.PROFILE
        verdict = Expected.NOT_APPLICABLE if base.is_request else verdict
    return Defect(
        name=f"{base.value}-{name}",
        base=base,
        wrong=wrong,
        edit=edit,
        codes=found,
        verdict=verdict,
        openssl=openssl,
        clause=clause or CATALOGUE[found[0]].clause,
        below=tuple(below.split()),
        issuer=base.issuer if issuer is _DEFAULT else issuer if isinstance(issuer, Base) else None,
        asked=asked,
        wanted=wanted,
    )
