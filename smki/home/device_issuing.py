"""Issues certificates to many Devices, so that a run that was interrupted can be continued with the same input.

What is done already follows from the ledger: a request is done if there is a certificate for its public key that was
granted to the same bytes. A key that is made is durable in a file before anything is applied for; a later run finds it
there, and makes the same request with it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from smki.home.smki import Smki
from smki.interchange.device_certificates import DeviceOutput, NamedCertificate
from smki.interchange.device_requests import DeviceRequest, UnreadableRequest
from smki.interchange.naming import Names
from smki.keys.private_key import encryption_from_environment, read_key
from smki.ledger import CertificateRecord
from smki.pki.request import make_device_request
from smki.pki.x509 import P256_KEY_INFO, P256_KEY_INFO_BYTES
from smki.problem import Problem
from smki.registration import Actor, Application, Issued, Refusal

CHUNK, CHUNK_BYTES = 512, 4 * 1024 * 1024
"""Maximum number of requests that are looked up at once in the ledger, and whose keys are written at once; and the number of
their bytes from which on no more are taken. Ordinary ones have 350 bytes each."""

MAX_HELD, MAX_HELD_BYTES = 8 * CHUNK, 8 * CHUNK_BYTES
"""Number of requests, and of their bytes, that are held while applications before them are decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOutcome:
    """What became of one item of an input."""

    source: str
    """Its name in the input."""
    certificate: NamedCertificate | None = None
    """Its certificate; None if there is none."""
    is_new: bool = False
    """Whether it was issued now, and not before."""
    problems: tuple[Problem, ...] = ()
    """Why there is no certificate."""


@dataclass(slots=True, kw_only=True)
class _Item:
    source: str
    name: str = ""
    application: Application | None = None
    """What to apply with; None if the outcome is known."""
    key: bytes | None = None
    """The private key (PKCS#8 in PEM) that was made."""
    key_was_there: bool = False
    """Whether the key was found in the output."""
    outcome: DeviceOutcome | None = None


class DeviceIssuing:
    """Issues certificates for the items of an input.

    :param actor: the applicant.
    :param application: the kind and the options of every application, with an empty request.
    :param output: says what is there already, and keeps the keys that are made.
    """

    def __init__(self, smki: Smki, actor: Actor, application: Application, output: DeviceOutput) -> None:
        self._smki = smki
        self._actor = actor
        self._application = application
        self._output = output
        self._passphrase = encryption_from_environment(smki.path / "keys")
        self._seen = _Seen()

    def run(self, items: Iterable[DeviceRequest | UnreadableRequest]) -> Generator[DeviceOutcome]:
        """Yield the outcomes in the order of the input, each once it is durable.

        :raises SmkiError: as :meth:`~smki.home.applying.Applying.apply_all` does, and if a key file cannot be read.
        :raises OSError: if a key cannot be written.
        """
        with Names() as names, self._seen:
            chunks = self._settled(iter(items), names)
            held: deque[_Item] = deque()
            for chunk in chunks:
                held.extend(chunk)
                if all(item.application is None for item in chunk):
                    yield from self._known(held)
                    continue
                yield from self._apply(held, chunks)

    def _apply(self, held: deque[_Item], chunks: Iterator[list[_Item]]) -> Iterator[DeviceOutcome]:
        """Apply for what is held, and for further chunks as long as they are applied for and little is held."""

        def applications() -> Iterator[Application]:
            chunk = list(held)
            while True:
                yield from (item.application for item in chunk if item.application is not None)
                is_enough = len(held) >= MAX_HELD or sum(map(_size, held)) >= MAX_HELD_BYTES
                if is_enough or (following := next(chunks, None)) is None:
                    return
                chunk = following
                held.extend(chunk)

        for application, outcome in self._smki.apply_all(applications(), self._actor):
            yield from self._known(held)
            item = held.popleft()
            assert item.application is application
            yield self._outcome(item, application, outcome)
        yield from self._known(held)

    def _known(self, held: deque[_Item]) -> Iterator[DeviceOutcome]:
        while held and held[0].outcome is not None:
            outcome = held.popleft().outcome
            assert outcome is not None
            yield outcome

    def _outcome(self, item: _Item, application: Application, outcome: Issued | Refusal) -> DeviceOutcome:
        if isinstance(outcome, Issued):
            return self._done(item, outcome.record, is_new=True)
        if any(problem.code == "public-key.already-certified" for problem in outcome.problems):
            # Another process may have applied with the same request since it was looked up.
            record = self._certificate_for(application.request)
            if record is not None:
                return self._done(item, record)
        if item.key is not None:
            self._output.keys.discard(item.name, was_there=item.key_was_there)
        return DeviceOutcome(source=item.source, problems=outcome.problems)

    def _done(self, item: _Item, record: CertificateRecord, *, is_new: bool = False) -> DeviceOutcome:
        certificate = NamedCertificate(source=item.source, name=item.name, record=record, key=item.key)
        return DeviceOutcome(source=item.source, certificate=certificate, is_new=is_new)

    def _settled(self, items: Iterator[DeviceRequest | UnreadableRequest], names: Names) -> Iterator[list[_Item]]:
        """Yield the items in chunks, with the keys made and durable, and with the outcomes that are known already."""
        while settled := self._next_chunk(items, names):
            self._output.keys.write_staged()
            self._look_up([item for item in settled if item.application is not None])
            yield settled

    def _next_chunk(self, items: Iterator[DeviceRequest | UnreadableRequest], names: Names) -> list[_Item]:
        chunk: list[_Item] = []
        size = 0
        for each in islice(items, CHUNK):
            chunk.append(self._item(each, names))
            size += _size(chunk[-1])
            if size >= CHUNK_BYTES:
                break
        return chunk

    def _item(self, each: DeviceRequest | UnreadableRequest, names: Names) -> _Item:
        if isinstance(each, UnreadableRequest):
            return _known_item(each.source, each.problems)
        before = self._seen.first_source(each)
        if before:
            return _known_item(each.source, [_repeated(each, before)])
        name = names.take_numbered(each.name)
        was_there = each.device_id is not None and self._output.keys.has(name)
        request, key = (each.request, None) if each.device_id is None else self._made(each, name)
        application = replace(
            self._application,
            request=request,
            device_type=each.device_type or self._application.device_type,
            model=each.model or self._application.model,
        )
        return _Item(source=each.source, name=name, application=application, key=key, key_was_there=was_there)

    def _made(self, each: DeviceRequest, name: str) -> tuple[bytes, bytes]:
        """Return a request, and the private key (PEM) that was made for it, now or before."""
        assert each.device_id is not None
        assert each.usage is not None
        keys = self._output.keys
        if keys.has(name):
            key = read_key(keys.path(name), self._passphrase)
            return make_device_request(key, each.device_id, each.usage), keys.path(name).read_bytes()
        key, request = self._smki.make_device_request(each.device_id, each.usage)
        encoded = self._smki.key_pem(key)
        if self._output.occupied(name) is None:  # a certificate without its key is not applied for again
            keys.stage(name, encoded)
        return request, encoded

    def _look_up(self, items: Sequence[_Item]) -> None:
        """Give the items that are done, or cannot be written, their outcome."""
        keys = {key for item in items if item.application and (key := _public_key(item.application.request))}
        certified = self._smki.ledger.sets.certified_keys(keys)
        for item in items:
            assert item.application is not None
            request = item.application.request
            record = self._certificate_for(request) if _public_key(request) in certified else None
            problem = self._output.occupied(item.name) if record is None else None
            if record is not None:
                item.outcome = self._done(item, record)
            elif problem is not None:
                item.outcome = DeviceOutcome(source=item.source, problems=(problem,))
            if item.outcome is not None:
                item.application = None

    def _certificate_for(self, request: bytes) -> CertificateRecord | None:
        """Return the certificate that was issued for a request, or None."""
        ledger = self._smki.ledger
        for record in ledger.certificates_of_key(_public_key(request) or b""):
            application = ledger.application(record.application_id)
            if application is not None and application.application.request == request:
                return record
        return None


def _known_item(source: str, problems: Iterable[Problem]) -> _Item:
    return _Item(source=source, outcome=DeviceOutcome(source=source, problems=tuple(problems)))


def _size(item: _Item) -> int:
    return len(item.application.request) if item.application is not None else 0


def _public_key(request: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo (DER) in a request without parsing it; None if there is none on P-256.

    What it finds in a request that was made to mislead it is only looked up.
    """
    at = request.find(P256_KEY_INFO)
    return request[at : at + P256_KEY_INFO_BYTES] if at >= 0 else None


def _repeated(each: DeviceRequest, before: str) -> Problem:
    what = "request" if each.device_id is None else "Device and key usage"
    return Problem(
        code="request.repeated", subject=each.source, seen=f"the same {what} as {before}", expected="each of them once"
    )


class _Seen:
    """The requests of an input so far, in a temporary file, because there may be a million of them."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY, source TEXT) WITHOUT ROWID")

    def first_source(self, each: DeviceRequest) -> str:
        """Return the source of the same request before; empty if this is the first one."""
        content = each.request
        if each.device_id is not None and each.usage is not None:
            content = each.device_id.encoded + each.usage.code.encode()
        digest = hashlib.sha256(content).digest()
        if self._table.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, each.source)).rowcount:
            return ""
        ((source,),) = self._table.execute("SELECT source FROM seen WHERE digest = ?", (digest,))
        return str(source)

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._table.close()
