"""A client for any Repository with the SMKI interface: search, retrieval and revocation lists."""

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
from smki.relying_party.list_follower import REFRESH_SECONDS, ListFollower
from smki.relying_party.lists import NumbersSeen, RevocationLists
from smki.relying_party.transport import Limits, RepositoryError, Transport, visible
from smki.sec.role import CertificateStatus, KeyUsage, RemotePartyRole

MAX_XML_BYTES = 4 * 1024 * 1024
_XML_TYPES = ("application/xml", "text/xml")
_ROLE = re.compile("[0-9]{1,9}")
_INVALID, _NOTHING = 401, 402
"""The statuses that the interface uses for invalid search parameters and for an empty result."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One certificate found by a search."""

    serial_number: SerialNumber
    entity: EntityIdentifier
    is_device: bool
    status: CertificateStatus
    usage: KeyUsage
    role: RemotePartyRole | None
    """None for a Device, and for an unknown role."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One certificate and its status in the Repository. Not verified: pass it to a Relying Party."""

    certificate: Certificate
    status: CertificateStatus


class RepositoryClient:
    """A Repository at a URL, which is also a list source for a Relying Party. Safe for threads.

    :param url: for instance ``http://127.0.0.1:8083``.
    :param api_key: sent with searches and retrievals.
    :param cache: a directory for lists and the list numbers seen; None to keep them in memory.
    :param refresh: seconds between requests for lists.
    :raises Malformed: if the URL is invalid.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str = "",
        cache: Path | None = None,
        limits: Limits | None = None,
        refresh: float = REFRESH_SECONDS,
    ) -> None:
        self._transport = Transport(url, limits)
        self._query = f"?{urlencode({'apikey': api_key})}" if api_key else ""
        self._follower = ListFollower(self._transport, ListCache(cache), refresh)

    @property
    def seen(self) -> NumbersSeen:
        """The list numbers seen, stored with the cache."""
        return self._follower.seen

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """Return the lists available at *moment*, none of them overdue alone."""
        return self._follower.revocation_lists(moment)

    def problems(self) -> Sequence[Problem]:
        """Return why lists were not available when the Repository was last asked."""
        return self._follower.problems()

    def refresh(self) -> None:
        """Request the lists again at the next opportunity."""
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
        """Return the certificates of an Organisation or a Device; empty if the Repository has none.

        :raises RepositoryError: if there is no usable response.
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
        """Return a certificate by its serial number.

        :raises NotFound: if the Repository does not have it.
        :raises RepositoryError: if there is no usable response, or it contains another certificate.
        """
        wanted = {"CertificateSerial": serial_number.hex}
        answer = self._ask("retrievecertificate", "CertificateDataRequest", wanted)
        if answer is None:
            missing = "no certificate with that serial number"
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
        try:
            return SearchResult(
                SerialNumber.parse(_text(result, "CertificateSerial")),
                EntityIdentifier.parse(_text(result, subject)),
                is_device,
                CertificateStatus.parse(_text(result, "CertificateStatus")),
                KeyUsage.parse(_text(result, "CertificateUsage")),
                _role(_text(result, "CertificateRole")),
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
        # The response is untrusted. Unless told otherwise, lxml loads no DTD, and limits depth and size.
        parser = etree.XMLParser(resolve_entities=False)
        try:
            return etree.fromstring(reply.body, parser)
        except etree.XMLSyntaxError as error:
            raise self._unusable(f"not XML: {error}"[:200]) from None

    def _unusable(self, seen: str) -> RepositoryError:
        expected = "a response that follows the Repository's interface"
        return RepositoryError(
            Problem(code="repository.answer", subject=self._transport.url, seen=seen[:300], expected=expected)
        )


def _role(digits: str) -> RemotePartyRole | None:
    return RemotePartyRole.of_decimal(int(digits)) if _ROLE.fullmatch(digits) else None


def _text(element: etree._Element, tag: str) -> str:
    """Return the text of the first descendant of *element* with that name; empty if there is none."""
    found = next(element.iter(f"{{*}}{tag}"), None)
    return (found.text or "").strip() if found is not None else ""
