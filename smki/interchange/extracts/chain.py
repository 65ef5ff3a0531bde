"""Combination and verification of a full extract and the deltas after it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from smki.file import replacing
from smki.interchange.extracts.lines import number_of, without_change
from smki.interchange.extracts.manifest import Contents, Extract, ExtractType
from smki.problem import IntegrityError, Malformed, Problem, SmkiError

MAX_LINE_BYTES = 65_536
"""Maximum length of a line, in bytes; no certificate's line comes near it."""


class Tally:
    """Counts lines and computes their digest."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._certificates = 0
        self._bytes = 0

    def add(self, line: bytes) -> bytes:
        """Count a line and return it."""
        self._digest.update(line)
        self._certificates += 1
        self._bytes += len(line)
        return line

    @property
    def contents(self) -> Contents:
        """Return the count, size and digest so far."""
        return Contents(self._certificates, self._bytes, self._digest.hexdigest())


def read_lines(extract: Extract) -> Iterator[bytes]:
    """Yield the lines of an extract as in a full one, in ascending order of their numbers.

    :raises IntegrityError: if a line is invalid, or the contents do not match the manifest. The latter is only known
        after
        the last line, so nothing made from the lines may be used before.
    """
    tally = Tally()
    last = 0
    with extract.path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            tally.add(line)
            try:
                plain = without_change(line)
                number = number_of(plain)
            except ValueError:
                number = 0
            if number <= last:
                seen = f"line {tally.contents.certificates} is not a certificate's, or is out of order"
                raise IntegrityError(_altered(extract, seen, "lines in ascending order of their numbers"))
            last = number
            yield plain
    if tally.contents != extract.contents:
        raise IntegrityError(_altered(extract, _described(tally.contents), _described(extract.contents)))


def _described(contents: Contents) -> str:
    return f"{contents.certificates} certificates, {contents.size} bytes, SHA-256 {contents.sha256}"


def _altered(extract: Extract, seen: str, expected: str) -> Problem:
    remedy = "Fetch it again, or make a new one: smki extract full."
    return Problem(code="extract.altered", subject=str(extract.path), seen=seen, expected=expected, remedy=remedy)


def chain_lines(chain: Sequence[Extract]) -> Iterator[bytes]:
    """Yield the lines of the full extract that results from applying deltas to a full extract.

    :raises Malformed: if the chain is invalid (:func:`require_chain`).
    :raises IntegrityError: as for :func:`read_lines`, after the last line.
    """
    require_chain(chain)
    lines = read_lines(chain[0])
    for delta in chain[1:]:
        lines = _overlaid(lines, read_lines(delta))
    return lines


def _overlaid(lines: Iterator[bytes], newer: Iterator[bytes]) -> Iterator[bytes]:
    """Merge both in the order of their numbers; where a number is in both, the newer line is used."""
    above = next(newer, None)
    for line in lines:
        number = number_of(line)
        while above is not None and number_of(above) < number:
            yield above
            above = next(newer, None)
        if above is not None and number_of(above) == number:
            yield above
            above = next(newer, None)
        else:
            yield line
    while above is not None:
        yield above
        above = next(newer, None)


def require_chain(chain: Sequence[Extract]) -> None:
    """Check that these are a full extract followed by consecutive deltas.

    :raises Malformed: if they are not.
    """
    if not chain or chain[0].type is not ExtractType.FULL:
        seen = chain[0].name if chain else "nothing"
        raise Malformed(
            Problem(
                code="extract.no-full",
                subject="extracts",
                seen=seen,
                expected="a full extract, then the deltas after it",
            )
        )
    for before, extract in itertools.pairwise(chain):
        follows = extract.number == before.number + 1 and extract.since == before.moment
        if extract.type is not ExtractType.DELTA or not follows:
            raise Malformed(
                Problem(
                    code="extract.gap",
                    subject=extract.name,
                    seen=f"after {before.name}",
                    expected=f"the delta numbered {before.number + 1}, from {before.moment:%Y-%m-%dT%H:%M:%SZ}",
                )
            )


def apply(chain: Sequence[Extract], path: Path) -> Extract:
    """Write the full extract that results from applying deltas to a full extract, with its manifest.

    :param path: the output file, which appears only when it is complete.
    :raises Malformed: if the chain is invalid.
    :raises IntegrityError: if a file does not match its manifest, or the result does not match the last one.
    """
    tally = Tally()
    with replacing(path) as file:
        _write(file, chain_lines(chain), tally)
        _require_result(chain[-1], tally.contents)
    last = chain[-1]
    made = Extract(
        path,
        last.number,
        ExtractType.FULL,
        None,
        last.moment,
        tally.contents,
        tally.contents.certificates,
        0,
        tally.contents,
        last.policy_oid,
    )
    made.write()
    return made


def _write(file: IO[bytes], lines: Iterator[bytes], tally: Tally) -> None:
    for line in lines:
        file.write(tally.add(line))


def _require_result(last: Extract, contents: Contents) -> None:
    if contents != last.result:
        raise IntegrityError(
            Problem(
                code="extract.result", subject=last.name, seen=_described(contents), expected=_described(last.result)
            )
        )


def verify(chain: Sequence[Extract]) -> list[Problem]:
    """Return everything that is wrong with a chain: each file against its manifest, and their combination.

    :returns: an empty list if there is nothing wrong.
    """
    try:
        _require_results(chain, [len(chain)])
    except SmkiError as error:
        if error.code != "extract.result":
            return list(error.problems)
        # Only now is it worth the time to find the extract at fault.
        try:
            _require_results(chain, range(1, len(chain) + 1))
        except SmkiError as first:
            return list(first.problems)
    return []


def _require_results(chain: Sequence[Extract], ends: Iterable[int]) -> None:
    for end in ends:
        tally = Tally()
        for line in chain_lines(chain[:end]):
            tally.add(line)
        _require_result(chain[end - 1], tally.contents)
