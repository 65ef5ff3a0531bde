"""The catalogue of defects for tests: each defect with everything that is presented to a Relying Party or Device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

from smki.clock import FixedClock
from smki.pki.certificate import Certificate
from smki.problem import Malformed, NotFound, Problem
from smki.relying_party import RelyingParty, RevocationLists, Use
from smki.testing.defects import DEFECTS, Base, Case, Defect, Expected, SamplePki


@dataclass(frozen=True)
class DefectiveCertificate:
    """One defect of the catalogue with its chain and lists. Everything is DER, unless the encoding is the defect.

    Its authorities belong to no SMKI: whoever judges it has to trust :attr:`trust_anchor`.

    :ivar defect: the row of the catalogue.
    """

    defect: Defect
    pki: SamplePki

    def __repr__(self) -> str:
        return f"<{self.name}: {self.wrong}>"

    @property
    def name(self) -> str:
        """In the catalogue: ``device-key-p384``."""
        return self.defect.name

    @property
    def wrong(self) -> str:
        """Description of what is wrong."""
        return self.defect.wrong

    @property
    def clause(self) -> str:
        """The clause that it breaks."""
        return self.defect.clause

    @property
    def codes(self) -> tuple[str, ...]:
        """What the lint finds in :attr:`octets`, given the issuer's certificate."""
        return self.defect.codes

    @property
    def expected(self) -> str:
        """The code of the reason for which a Relying Party refuses :attr:`certificate`; ``trusted`` where it is allowed
        with a warning of the lint, ``not-applicable`` for a certification request."""
        return self.defect.verdict.code

    @cached_property
    def encoded(self) -> bytes:
        """The certificate, certification request or revocation list with the defect."""
        return self.defect.make(self.pki)

    @property
    def twin(self) -> bytes:
        """The same without the defect."""
        return self.pki.good_bytes(self.defect.base)

    @property
    def certificate(self) -> bytes:
        """The certificate that is presented to a Relying Party: the defective one, or a valid one with a defective
        authority or list above it. Of a certification request, the request."""
        return self.case.certificate if self.case else self.encoded

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates of the issuing authorities above it, the lowest first."""
        return self.case.chain if self.case else ()

    @property
    def trust_anchor(self) -> bytes:
        """The root's certificate."""
        return self.case.trust_anchors[0] if self.case else self.pki.good_bytes(Base.ROOT_OCA)

    @property
    def crl(self) -> bytes | None:
        """The Organisation CRL; None for a Device Certificate."""
        return next(iter(self.case.crls), None) if self.case else None

    @property
    def arl(self) -> bytes | None:
        """The Organisation ARL; None for a Device Certificate."""
        return next(iter(self.case.arls), None) if self.case else None

    @property
    def use(self) -> Use:
        """What the certificate is to be relied on for."""
        return Use.parse(self.case.use) if self.case else Use()

    @property
    def moment(self) -> datetime:
        """When it is to be judged, UTC."""
        return self.pki.moment

    @property
    def issuer(self) -> bytes | None:
        """The certificate to give the lint as the issuer of :attr:`octets`; None where there is none."""
        return self.pki.good_bytes(self.defect.issuer) if self.defect.issuer else None

    def files(self) -> dict[str, bytes]:
        """The defect and everything that is presented with it, by file name."""
        files = {self.defect.file: self.encoded, "defect-trust-anchor.der": self.trust_anchor}
        if self.certificate != self.encoded:
            files["defect-certificate.der"] = self.certificate
        files |= {f"defect-chain-{number}.der": data for number, data in enumerate(self.chain, 1)}
        lists = {"defect.crl": self.crl, "defect.arl": self.arl}
        return files | {name: data for name, data in lists.items() if data is not None}

    def relying_party(self) -> RelyingParty:
        """A Relying Party that trusts the root and has the chain and the lists, at :attr:`moment`."""
        lists = RevocationLists.of([self.crl] if self.crl else [], [self.arl] if self.arl else [])
        anchor = Certificate.from_der(self.trust_anchor)
        return RelyingParty([anchor], lists, chain=self.chain, clock=FixedClock(self.moment))

    @cached_property
    def case(self) -> Case | None:
        """What is presented to a Relying Party; None for a certification request."""
        return self.defect.case(self.pki)


def defective_certificate(name: str, *, at: datetime, seed: str | None = None) -> DefectiveCertificate:
    """One defect of the catalogue by its name.

    :param at: when it is to be judged, UTC: everything but the defect is valid then.
    :param seed: makes keys and serial numbers reproducible.
    :raises NotFound: when the catalogue has none of that name.
    """
    for defect in DEFECTS:
        if defect.name == name:
            return DefectiveCertificate(defect, sample_pki(at, seed))
    remedy = "smki defects list shows the names."
    raise NotFound(
        Problem(
            code="defect.unknown",
            subject="defect",
            seen=f"{name[:64]!r}",
            expected="a name of the catalogue",
            remedy=remedy,
        )
    )


@lru_cache(maxsize=8)
def sample_pki(at: datetime, seed: str | None) -> SamplePki:
    """The authorities and valid certificates around the defects, made once."""
    return SamplePki(at, seed)


def select_defects(
    patterns: Sequence[str] = (),
    *,
    device: bool | None = None,
    lists: bool = False,
    requests: bool = False,
    allowed: bool = False,
) -> tuple[Defect, ...]:
    """Choose defects: by default those of certificates that must be refused.

    :param patterns: shell patterns; at least one must match the name (with or without the kind before it), a finding
        of the lint, or the reason for which a Relying Party refuses it: ``public-key.*``, ``device-key-*``,
        ``time.expired``; ``curve.*`` stands for every finding that ends in ``.curve``. None for every one.
    :param device: true for Device Certificates and their authorities only, false for those of Organisations only.
    :param lists: include defects of revocation lists.
    :param requests: include defects of certification requests.
    :param allowed: include defects that a Relying Party accepts with a warning.
    :returns: in the order of the catalogue.
    :raises NotFound: for a pattern that chooses none: it is misspelt, and what it was to test would go untested.
    :raises Malformed: when an argument has another type.
    """
    _check_choice(patterns, {"device": device, "lists": lists, "requests": requests, "allowed": allowed})
    candidates = [
        defect
        for defect in DEFECTS
        if (device is None or defect.base.is_of_device is device)
        and (lists or not defect.base.is_list)
        and (requests or not defect.base.is_request)
        and (allowed or defect.verdict is not Expected.TRUSTED)
    ]
    for pattern in patterns:
        if not any(_is_called(defect, pattern) for defect in candidates):
            raise NotFound(_no_such_defect(pattern, candidates))
    return tuple(
        defect for defect in candidates if not patterns or any(_is_called(defect, pattern) for pattern in patterns)
    )


def _check_choice(patterns: object, choices: dict[str, bool | None]) -> None:
    # A string is also a sequence of strings: of "*a", the pattern "*" would choose everything.
    if isinstance(patterns, str) or not isinstance(patterns, Sequence):
        raise _malformed("patterns", f"{patterns!r}", "a sequence of shell patterns")
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise _malformed("pattern", f"{pattern!r}", "a shell pattern as text")
    for name, choice in choices.items():
        if not isinstance(choice, bool) and not (choice is None and name == "device"):
            raise _malformed(name, f"{choice!r}", "True or False")


def _malformed(subject: str, seen: str, expected: str) -> Malformed:
    return Malformed(Problem(code="defect.choice", subject=subject, seen=seen[:64], expected=expected))


def _names(defect: Defect) -> tuple[str, ...]:
    return (defect.name, defect.name.removeprefix(f"{defect.base.value}-"), *defect.codes, defect.verdict.code)


def _is_called(defect: Defect, pattern: str) -> bool:
    # Short forms by the last part of a finding: "curve.*" for every defect with "public-key.curve".
    about = (f"{code.rpartition('.')[2]}.{defect.name}" for code in defect.codes)
    return any(fnmatchcase(name, pattern) for name in (*_names(defect), *about))


def _no_such_defect(pattern: str, candidates: Sequence[Defect]) -> Problem:
    names = sorted({name for defect in candidates for name in _names(defect)})
    stem = pattern.strip("*?.-")
    alike = [name for name in names if stem and stem in name] or get_close_matches(pattern, names)
    remedy = f"Did you mean {' or '.join(alike[:_SUGGESTIONS])}? " if alike else ""
    return Problem(
        code="defect.unknown",
        subject="pattern",
        seen=f"{pattern[:64]!r}, none of the defects to choose from",
        expected="one that chooses a defect",
        remedy=f"{remedy}`smki defects list` shows the names, docs/findings.md the findings.",
    )


_SUGGESTIONS = 5
