"""smki demo z1"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from smki.cli.common import MOMENT, home_option, require_directory
from smki.cli.say import say
from smki.clock import FixedClock, iso, parse_moment
from smki.home.configuration import CONFIGURATION_FILE, Configuration
from smki.home.smki import Smki
from smki.testing.demo import (
    AUTHORITIES_FOLDER,
    CERTIFICATES_FOLDER,
    KEY_STORE_FILE,
    ORG_CRYPTO_FILE,
    make_z1,
    refuse_occupied,
)


@click.group()
def demo() -> None:
    """Whole sets of certificates to begin with."""


@demo.command()
@home_option
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where to write: a new directory."
)
@click.option("--seed", help="For a new SMKI: make everything reproducible, byte for byte.")
@click.option("--at", type=MOMENT, help="For a new SMKI: when it begins, UTC. [default: now; with --seed 2026-01-01]")
def z1(home: Path, out: Path, seed: str | None, at: datetime | None) -> None:
    """Fresh certificates for the Organisations of the DCC's published test PKI.

    The Entity Identifiers, roles, usages and common names are the published ones; keys and certificates are new, valid
    from today, and issued in the SMKI in --home, which is made where there is none. With --seed or --at everything is
    issued at the moment at which it begins.

    The private keys are for everybody to see: smki serve --publish-test-keys hands them out as org-crypto.zip.

    \b
    smki demo z1 --out z1
    openssl verify -x509_strict -CAfile z1/authorities/T*-root-oca.pem \\
      -untrusted z1/authorities/T*-issuing-oca.pem z1/certificates/Z1-supplier-ds.pem
    """
    is_new = not (home / CONFIGURATION_FILE).exists()
    if not is_new and (seed is not None or at is not None):
        raise click.UsageError(f"--seed and --at are for a new SMKI, and there is one in {home}.")
    require_directory(out.absolute().parent)
    refuse_occupied(out)
    if is_new:
        Smki.create(home, seed=seed, at=at).close()
    moment = parse_moment(Configuration.read(home.absolute()).created)
    clock = FixedClock(moment) if is_new and (seed is not None or at is not None) else None
    with Smki.open(home, clock) as smki:
        pairs = make_z1(smki, out)
        since, until = pairs[0].certificate.not_before, pairs[0].certificate.not_after
    say(f"{len(pairs)} Organisation Certificates in {out}, valid from {iso(since)} to {iso(until)}:")
    for name, what in (
        (f"{CERTIFICATES_FOLDER}/", "each with its private key"),
        (f"{AUTHORITIES_FOLDER}/", "Root OCA and Issuing OCA"),
        (KEY_STORE_FILE, "the same as a key store"),
        (ORG_CRYPTO_FILE, "the same as smki serve --publish-test-keys hands it out"),
    ):
        say(f"  {name:<15} {what}")
