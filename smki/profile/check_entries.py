"""Checks of the entries of a revocation list, in one pass."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from smki.clock import iso
from smki.pki import der
from smki.pki.bounds import MAX_ENTRY_BYTES
from smki.pki.der import DerError, IntegerTooLong, Node, TooMany
from smki.pki.oid import Oid, oid_name
from smki.pki.revocation_entry import RawEntry, entry_parts, raw_entries, usual_time
from smki.pki.x509 import ExtensionNode
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_bytes
from smki.profile.check_certificate import check_time
from smki.profile.forms import EntriesForm

LOCATION = "tbsCertList.revokedCertificates"


def check_entries(report: Report, entries: Node | None, form: EntriesForm, this_update: datetime | None) -> None:
    """Report entries that violate the profile; stops when the report is full."""
    if entries is None:
        return
    if entries.body == entries.end:
        report("entries.empty", LOCATION, "an empty SEQUENCE")
    seen: set[bytes] = set()
    reasons = frozenset((*form.reasons, None))
    days: dict[bytes, bool] = {}
    latest = _as_utc_time(this_update)
    index = 0
    try:
        for entry in raw_entries(entries):
            serial = entry.serial_number
            # The fast path for regular, valid entries, of which there may be a million; all others are examined below.
            if (
                entry.reason in reasons
                and serial
                and len(serial) <= form.max_serial_bytes
                and serial not in seen
                and _is_usual_date(entry.time, latest, days)
            ):
                seen.add(serial)
            else:
                if entry.node is None:
                    _check_usual_entry(report, entry, form, this_update, seen, index)
                else:
                    _check_entry(report, entry.node, form, this_update, seen, f"{LOCATION}[{index}]")
                if report.is_full:
                    report.stop(f"{LOCATION}[{index}]")
                    return
            index += 1
    except DerError as error:
        report("structure.list-entry", f"{LOCATION}[{index}]", str(error))


def _is_usual_date(time: bytes, latest: bytes | None, days: dict[bytes, bool]) -> bool:
    """Return whether the content bytes of a UTCTime are an existing moment, not later than *latest*.

    Two UTCTimes in the same century compare as bytes; a date is decoded once for all entries of that day.
    """
    if len(time) != 13:
        return False
    day = time[:6]
    exists = days.get(day)
    if exists is None:
        try:
            usual_time(day + b"000000Z")
            exists = True
        except DerError:
            exists = False
        days[day] = exists
    if not exists or time[6:8] > b"23" or time[8:10] > b"59" or time[10:12] > b"59":
        return False
    return latest is None or time <= latest or time >= b"50"


def _as_utc_time(moment: datetime | None) -> bytes | None:
    """Return the content bytes of a moment as a UTCTime; None if it has none and every UTCTime is earlier."""
    return der.time(moment)[2:] if moment is not None and moment.year < 2050 else None


def _check_usual_entry(
    report: Report, entry: RawEntry, form: EntriesForm, this_update: datetime | None, seen: set[bytes], index: int
) -> None:
    """Report a regular entry with invalid values; fast, because a million entries may each have a warning."""
    serial, time = entry.serial_number, entry.time
    if len(serial) > form.max_serial_bytes or serial in seen:
        _check_serial_number(report, serial, form, seen, f"{LOCATION}[{index}]")
    seen.add(serial)
    try:
        moment = usual_time(time)
        is_right = (len(time) == 13) == (moment.year < 2050)
    except DerError:
        is_right = False
    if not is_right:
        tag = der.UTC_TIME if len(time) == 13 else der.GENERALIZED_TIME
        check_time(report, Node(time, tag, 0, 0, len(time)), "entry.date-", f"{LOCATION}[{index}].revocationDate")
    elif this_update is not None and moment > this_update and report.has_room_for("entry.date-in-future"):
        _report_future(report, moment, this_update, f"{LOCATION}[{index}]")
    if entry.reason is None or entry.reason in form.reasons:
        return
    if entry.reason != 0 or report.has_room_for("reason-code.unspecified"):
        content = bytes((der.ENUMERATED, 1, entry.reason))
        _check_reason(report, content, form, f"{LOCATION}[{index}].{oid_name(Oid.REASON_CODE)}")


def _check_entry(
    report: Report, node: Node, form: EntriesForm, this_update: datetime | None, seen: set[bytes], at: str
) -> None:
    if node.end - node.start > MAX_ENTRY_BYTES:
        report("der.too-large", at, f"an entry of {node.end - node.start} bytes", f"at most {MAX_ENTRY_BYTES} bytes")
        return
    check_bytes(report, node, lambda offset: f"{at} (byte {offset})")
    try:
        serial, time, extensions = entry_parts(node)
    except TooMany as error:
        report("der.too-many", at, str(error))
        return
    except DerError as error:
        report("structure.list-entry", at, str(error))
        return
    _check_serial_number(report, serial.content, form, seen, at)
    moment = check_time(report, time, "entry.date-", f"{at}.revocationDate")
    if moment is not None and this_update is not None and moment > this_update:
        _report_future(report, moment, this_update, at)
    if time.end < node.end and not extensions:
        report("entry.extensions-empty", f"{at}.crlEntryExtensions", "an empty SEQUENCE")
    _check_entry_extensions(report, extensions, form, at)


def _check_serial_number(report: Report, content: bytes, form: EntriesForm, seen: set[bytes], at: str) -> None:
    try:
        number = der.decode_integer(Node(content, der.INTEGER, 0, 0, len(content)))
    except IntegerTooLong as error:
        report("entry.serial-number", f"{at}.userCertificate", error.reason)
        return
    minimal = der.integer_content(number)
    if number <= 0 or (number.bit_length() + 7) // 8 > form.max_serial_bytes:
        report("entry.serial-number", f"{at}.userCertificate", content.hex() or "nothing")
    if minimal in seen:
        report("entry.repeated", f"{at}.userCertificate", f"{number:X} a second time")
    seen.add(minimal)


def _report_future(report: Report, moment: datetime, this_update: datetime, at: str) -> None:
    report("entry.date-in-future", f"{at}.revocationDate", iso(moment), f"not later than {iso(this_update)}")


def _check_entry_extensions(report: Report, extensions: list[ExtensionNode], form: EntriesForm, at: str) -> None:
    known: set[str] = set()
    for extension in extensions:
        location = f"{at}.{extension.name}"
        if extension.oid in known:
            report("entry.extension-repeated", location, f"{extension.name} more than once")
        known.add(extension.oid)
        if extension.oid != Oid.REASON_CODE:
            seen = f"{'critical ' if extension.critical else ''}{extension.name}"
            report("entry.extension-unexpected", location, seen)
            continue
        if extension.critical_node is not None:
            if extension.critical:
                report("reason-code.critical", location, "critical")
            else:
                report("der.default-encoded", location, "critical FALSE encoded explicitly")
        _check_reason(report, extension.value.content, form, location)


@lru_cache(maxsize=4)
def _reason_encodings(reasons: tuple[int, ...]) -> dict[bytes, int]:
    return {der.element(der.ENUMERATED, der.integer_content(reason)): reason for reason in reasons}


def _check_reason(report: Report, content: bytes, form: EntriesForm, location: str) -> None:
    if content in _reason_encodings(form.reasons):
        return
    if content == bytes((der.ENUMERATED, 1, 0)):
        report("reason-code.unspecified", location, "unspecified (0)")
    elif content == bytes((der.ENUMERATED, 1, 8)):
        report("reason-code.remove-from-crl", location, "removeFromCRL (8)")
    else:
        report("reason-code.malformed", location, content.hex()[:80] or "nothing", f"one of {form.reasons}")
