"""smki export"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from smki.cli.common import F, home_option, output, require_directory
from smki.cli.progress import counted, progress_bar
from smki.cli.say import count_of, say, say_problems
from smki.cli.selection import narrowing_options
from smki.file import PRIVATE_MODE, new_directory, replacing
from smki.home.smki import Smki
from smki.interchange import CertificateWithKey, key_store, org_crypto_zip, pkcs12, write_archive, write_folder
from smki.interchange.key_ring import KeyRing
from smki.interchange.pkcs12 import Pkcs12Encryption
from smki.interchange.selection import (
    Missing,
    certificate_with_key,
    certificates_with_keys,
    records_with_keys,
    records_without_keys,
)
from smki.interchange.table import write_csv, write_json_lines, write_pem
from smki.keys.private_key import encryption_from_environment
from smki.ledger import CertificateQuery, CertificateRecord
from smki.problem import NotReady, Problem
from smki.profile.designation import TEST_CERTIFICATE, policy_text
from smki.sec.role import CertificateKind

PKCS12_VARIABLE = "SMKI_PKCS12_PASSPHRASE"

Paths = tuple[Path, ...]

file_option: Callable[[F], F] = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: standard output]"
)
folder_option: Callable[[F], F] = click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="New directory to write to."
)
keys_option: Callable[[F], F] = click.option(
    "--keys",
    "key_places",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory of private keys (*.key, PKCS#8), in addition to the DCC's in the home; may be repeated.",
)


@click.group()
def export() -> None:
    """Export certificates to a file, an archive or a directory.

    Files are created atomically. Private keys are written only by keystore, pkcs12, org-crypto and folder --keys, and
    never those of an authority.
    """


@export.command()
@home_option
@file_option
def authorities(home: Path, out: Path | None) -> None:
    """Export the certificates of all authorities in PEM.

    \b
    smki export authorities --out authorities.pem
    openssl verify -x509_strict -CAfile authorities.pem meter-ds.pem
    """
    with Smki.open(home) as smki, output(out) as file:
        write_pem(file, smki.authorities())


@export.command(name="json-lines")
@home_option
@file_option
@narrowing_options
def json_lines(home: Path, out: Path | None, query: CertificateQuery) -> None:
    """Export JSON Lines: one object per certificate with status, dates, names and the certificate in base64."""
    with _selected(home, query) as (smki, records), output(out) as file:
        write_json_lines(file, records, smki.clock.now())


@export.command(name="csv")
@home_option
@file_option
@narrowing_options
def csv_(home: Path, out: Path | None, query: CertificateQuery) -> None:
    """Export CSV with the same fields as json-lines."""
    with _selected(home, query) as (smki, records), output(out) as file:
        write_csv(file, records, smki.clock.now())


@export.command()
@home_option
@file_option
@narrowing_options
def pem(home: Path, out: Path | None, query: CertificateQuery) -> None:
    """Export PEM, one certificate after the other."""
    with _selected(home, query) as (_, records), output(out) as file:
        write_pem(file, records)


@export.command(name="zip")
@home_option
@file_option
@click.option("--der", is_flag=True, help="Write DER instead of PEM.")
@narrowing_options
def zip_(home: Path, out: Path | None, der: bool, query: CertificateQuery) -> None:
    """Export a ZIP archive with a file for each certificate, named as in the published sets: 00db123456789001-ds.pem."""
    with _selected(home, query) as (smki, records), output(out) as file:
        write_archive(file, certificates_with_keys(records, smki.clock.now()), der=der)


@export.command()
@home_option
@folder_option
@click.option(
    "--keys",
    "key_places",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory of private keys, which are written next to their certificates; may be repeated.",
)
@narrowing_options
def folder(home: Path, out: Path, key_places: Paths, query: CertificateQuery) -> None:
    """Export a directory with a file for each certificate, named as in the published sets, and with --keys its key."""
    require_directory(out.absolute().parent)
    passphrase = encryption_from_environment()
    keys = _key_ring(key_places) if key_places else None
    with _selected(home, query) as (smki, records):
        count = write_folder(out, certificates_with_keys(records, smki.clock.now(), keys), passphrase)
    say(f"{out}: {count_of(count, 'certificate')}", _designation(smki), err=True)


@export.command()
@home_option
@file_option
@keys_option
@click.option("--keyless", is_flag=True, help="Include certificates whose private key is not available.")
@narrowing_options
def keystore(home: Path, out: Path | None, key_places: Paths, keyless: bool, query: CertificateQuery) -> None:
    """Export a key store for the published client @smartdcc/dccboxed-keystore: certificates and private keys in JSON."""
    with Smki.open(home) as smki, output(out, PRIVATE_MODE) as file:
        held, left_out = _held(smki, key_places, query)
        if keyless:
            held += certificates_with_keys(left_out.records, smki.clock.now())
        file.write(key_store.key_store_json(held).encode("ascii"))
    _print_summary(_designation(smki), len(held), Missing([], True) if keyless else left_out)


@export.command(name="org-crypto")
@home_option
@file_option
@keys_option
@narrowing_options
def org_crypto(home: Path, out: Path | None, key_places: Paths, query: CertificateQuery) -> None:
    """Export the org-crypto.zip of a test PKI: Organisation Certificates with unencrypted private keys."""
    query = replace(query, kinds=(CertificateKind.ORGANISATION,))
    with Smki.open(home) as smki, output(out, PRIVATE_MODE) as file:
        held, left_out = _held(smki, key_places, query)
        file.write(org_crypto_zip(held))
    _print_summary(_designation(smki), len(held), left_out)


@export.command(name="pkcs12")
@home_option
@folder_option
@keys_option
@narrowing_options
def pkcs12_(home: Path, out: Path, key_places: Paths, query: CertificateQuery) -> None:
    """Export a PKCS#12 file for each Party (PARTY.p12) with its certificates, private keys and the authorities.

    The passphrase is taken from SMKI_PKCS12_PASSPHRASE, or prompted for.
    """
    require_directory(out.absolute().parent)
    with Smki.open(home) as smki:
        query = replace(query, moment=smki.clock.now())
        keys = _key_ring([*key_places, *_own_keys(smki)])
        by_party: dict[str, list[CertificateWithKey]] = defaultdict(list)
        for record in records_with_keys(smki.ledger, keys, query):
            application = smki.ledger.application(record.application_id)
            party = application.application.subscriber if application else ""
            by_party[party or "unknown"].append(certificate_with_key(record, smki.clock.now(), keys))
        left_out = records_without_keys(smki.ledger, keys, query)
        chain = [record.certificate for record in smki.authorities()]
    if by_party:
        encryption = Pkcs12Encryption(_pkcs12_passphrase())
        with new_directory(out) as directory:
            for party, held in sorted(by_party.items()):
                with replacing(directory / f"{party}.p12", PRIVATE_MODE) as file:
                    file.write(pkcs12(held, encryption, chain))
    _print_summary(_designation(smki), sum(map(len, by_party.values())), left_out)


@contextmanager
def _selected(home: Path, query: CertificateQuery) -> Iterator[tuple[Smki, Iterator[CertificateRecord]]]:
    """Open a home and yield it with an iterator over the matching certificates, which reports progress."""
    with Smki.open(home) as smki, progress_bar("exporting") as report:
        # The total is known only without filters.
        total = smki.ledger.count_certificates() if query == CertificateQuery() else 0
        wanted = replace(query, moment=smki.clock.now())
        yield smki, counted(smki.ledger.search.all_certificates(wanted), report, total)


def _own_keys(smki: Smki) -> list[Path]:
    """Return the directories of the home with private keys other than those of authorities."""
    return [place for name in ("dcc", "imported", "published") if (place := smki.path / "keys" / name).is_dir()]


def _key_ring(places: Iterable[Path]) -> KeyRing:
    keys = KeyRing(places, encryption_from_environment())
    for problem in keys.problems:
        say_problems([problem], "smki: ", err=True)
    return keys


def _held(smki: Smki, key_places: Paths, query: CertificateQuery) -> tuple[list[CertificateWithKey], Missing]:
    """Return the matching certificates with their private keys, and those whose key is not available."""
    keys = _key_ring([*key_places, *_own_keys(smki)])
    now = smki.clock.now()
    query = replace(query, moment=now)
    held = list(certificates_with_keys(records_with_keys(smki.ledger, keys, query), now, keys))
    return held, records_without_keys(smki.ledger, keys, query)


_NAMED = 5


def _designation(smki: Smki) -> str:
    return f"{TEST_CERTIFICATE}s, {policy_text(smki.configuration.policy_oid)}"


def _print_summary(designation: str, count: int, left_out: Missing) -> None:
    say(designation, f"{count} certificates with their private keys", err=True)
    if left_out.records:
        names = ", ".join(record.serial_number.hex for record in left_out.records[:_NAMED])
        more = ", …" if len(left_out.records) > _NAMED else ""
        at_least = "" if left_out.is_complete else "at least "
        number = f"{at_least}{len(left_out.records)}"
        say(f"{number} left out because their private key is not available (--keys): {names}{more}", err=True)


def _pkcs12_passphrase() -> bytes:
    given = os.environ.get(PKCS12_VARIABLE, "")
    if not given and sys.stdin.isatty():
        given = click.prompt("Passphrase for the PKCS#12 files", hide_input=True, confirmation_prompt=True, err=True)
    if not given:
        raise NotReady(
            Problem(
                code="pkcs12.no-passphrase",
                subject=PKCS12_VARIABLE,
                seen="not set, and no terminal to prompt on",
                expected="a passphrase",
                remedy=f"Set {PKCS12_VARIABLE}.",
            )
        )
    return given.encode()
