"""A client of an SMKI Repository: search, retrieval, revocation lists. Works against any that speaks its interface."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from lxml import etree

from smki.identity import EntityIdentifier, SerialNumber
from smki.pki.certificate import Certificate
from smki.problem import Malformed, NotFound, Problem
from smki.relying_party.list_cache import ListCache
from smki.relying_party.list_follower import ListFollower
from smki.relying_party.lists import NumbersSeen, RevocationLists
from smki.relying_party.transport import Limits, RepositoryError, Transport, visible
from smki.sec.role import CertificateStatus, KeyUsage, RemotePartyRole

MAX_XML_BYTES = 4 * 1024 * 1024
_XML_TYPES = ("application/xml", "text/xml")
_ROLE = re.compile("[0-9]{1,9}")
_INVALID, _NOTHING = 401, 402
"""What the interface means by these statuses: invalid search parameters, nothing found."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One certificate that a search found."""

    serial_number: SerialNumber
    entity: EntityIdentifier
    is_device: bool
    status: CertificateStatus
    usage: KeyUsage
    role: RemotePartyRole | None
    """None for a Device, and for a role that we do not know."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One certificate, and what the Repository says of it. Not judged: hand it to a Relying Party."""

    certificate: Certificate
    status: CertificateStatus


class RepositoryClient:
    """A Repository at a URL; a source of lists for a Relying Party. Safe for threads.

    :param url: for instance ``http://127.0.0.1:8083``.
    :param api_key: sent with searches and retrievals.
    :param cache: a directory for lists and for the numbers seen; None to keep them in memory.
    :param refresh: seconds after which lists are asked for again.
    :raises Malformed: when the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str = "",
        cache: Path | None = None,
        limits: Limits | None = None,
        refresh: float = 300.0,
    ) -> None:
        self._transport = Transport(url, limits)
        self._query = f"?{urlencode({'apikey': api_key})}" if api_key else ""
        self._follower = ListFollower(self._transport, ListCache(cache), refresh)

    @property
    def seen(self) -> NumbersSeen:
        """The numbers of the lists seen, kept with the cache."""
        return self._follower.seen

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """The lists to be had at that moment, none of them overdue."""
        return self._follower.revocation_lists(moment)

    def problems(self) -> Sequence[Problem]:
        """Why lists could not be had when the Repository was asked last."""
        return self._follower.problems()

    def refresh(self) -> None:
        """Ask for the lists again at the next opportunity."""
        self._follower.refresh()

    def search(
        self,
        entity: EntityIdentifier,
        *,
        device: bool = False,
        role: RemotePartyRole | None = None,
        usage: KeyUsage | None = None,
        status: CertificateStatus | None = None,
    ) -> list[SearchResult]:
        """The certificates of an Organisation, or of a Device; none where the Repository knows none.

        :raises RepositoryError: when there is no usable answer.
        """
        subject = "CertificateSubjectAltName" if device else "CertificateSubjectName"
        wanted = {subject: entity.hyphenated}
        if role is not None:
            wanted["CertificateRole"] = str(role.decimal)
        if usage is not None:
            wanted["CertificateUsage"] = usage.code
        if status is not None:
            wanted["CertificateStatus"] = status.value
        answer = self._ask("certificatesearch", "CertificateSearchRequest", wanted)
        return [] if answer is None else [self._found(result) for result in answer.iter("{*}Result")]

    def retrieve(self, serial_number: SerialNumber) -> Retrieved:
        """A certificate by its serial number.

        :raises NotFound: when the Repository has none.
        :raises RepositoryError: when there is no usable answer, or it is another certificate.
        """
        wanted = {"CertificateSerial": serial_number.hex}
        answer = self._ask("retrievecertificate", "CertificateDataRequest", wanted)
        if answer is None:
            missing = "no certificate of that serial number"
            raise NotFound(
                Problem(code="repository.nothing", subject=serial_number.hex, seen=missing, expected="a certificate")
            )
        try:
            encoded = base64.b64decode("".join(_text(answer, "CertificateBody").split()), validate=True)
            certificate = Certificate.from_der(encoded)
            status = CertificateStatus.parse(_text(answer, "CertificateStatus"))
        except (ValueError, Malformed) as error:
            raise self._unusable(str(error)) from None
        if certificate.serial_number != serial_number:
            raise self._unusable(f"certificate {certificate.serial_number}, not {serial_number}")
        return Retrieved(certificate, status)

    def _found(self, result: etree._Element) -> SearchResult:
        is_device = result.find("{*}CertificateSubjectAltName") is not None
        subject = "CertificateSubjectAltName" if is_device else "CertificateSubjectName"
        role = result.findtext("{*}CertificateRole")
        try:
            return SearchResult(
                SerialNumber.parse(_text(result, "CertificateSerial")),
                EntityIdentifier.parse(_text(result, subject)),
                is_device,
                CertificateStatus.parse(_text(result, "CertificateStatus")),
                KeyUsage.parse(_text(result, "CertificateUsage")),
                _role(role),
            )
        except Malformed as error:
            raise self._unusable(str(error)) from None

    def _ask(self, service: str, name: str, values: dict[str, str]) -> etree._Element | None:
        request = etree.Element(name)
        for tag, value in values.items():
            etree.SubElement(request, tag).text = value
        body = etree.tostring(request, xml_declaration=True, encoding="UTF-8")
        headers = {"Content-Type": "application/xml", "Accept": "application/xml"}
        path = f"services/{service}{self._query}"
        reply = self._transport.ask(path, max_bytes=MAX_XML_BYTES, body=body, headers=headers)
        if reply.status == _NOTHING:
            return None
        if reply.status != 200:
            meaning = " (invalid search parameters)" if reply.status == _INVALID else ""
            raise self._unusable(f"HTTP status {reply.status}{meaning}")
        if reply.content_type not in _XML_TYPES:
            raise self._unusable(f"content type {visible(reply.content_type) or 'none'}")
        # No entities, no network, no documents of unbounded depth: the answer is somebody else's.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            return etree.fromstring(reply.body, parser)
        except etree.XMLSyntaxError as error:
            raise self._unusable(f"no XML: {error}"[:200]) from None

    def _unusable(self, seen: str) -> RepositoryError:
        expected = "an answer as the Repository's interface has it"
        return RepositoryError(
            Problem(code="repository.answer", subject=self._transport.url, seen=seen[:300], expected=expected)
        )


def _role(text: str | None) -> RemotePartyRole | None:
    digits = (text or "").strip()
    return RemotePartyRole.of_decimal(int(digits)) if _ROLE.fullmatch(digits) else None


def _text(element: etree._Element, tag: str) -> str:
    """The text of the first element of that name below *element*; empty where there is none."""
    found = next(element.iter(f"{{*}}{tag}"), None)
    return (found.text or "").strip() if found is not None else ""
