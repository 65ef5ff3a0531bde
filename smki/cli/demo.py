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
from smki.profile.designation import TEST_CERTIFICATE, policy_text
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
    """Make complete sets of certificates for demonstrations."""


@demo.command()
@home_option
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="New directory to write to.")
@click.option("--seed", help="For a new SMKI: make keys, serial numbers and certificates reproducible, byte for byte.")
@click.option(
    "--at", type=MOMENT, help="For a new SMKI: the time (UTC) of its creation. [default: now; with --seed 2026-01-01]"
)
def z1(home: Path, out: Path, seed: str | None, at: datetime | None) -> None:
    """Issue new certificates for the Organisations of the DCC's published test PKI.

    The Entity Identifiers, roles, usages and common names are the published ones. The keys and certificates are new
    and valid from today. They are issued by the SMKI in --home, which is created if there is none; with --seed or
    --at, at the time of its creation.

    The private keys are intentionally public: smki serve --publish-test-keys serves them as org-crypto.zip.

    \b
    smki demo z1 --out z1
    openssl verify -x509_strict -CAfile z1/authorities/T*-root-oca.pem \\
      -untrusted z1/authorities/T*-issuing-oca.pem z1/certificates/Z1-supplier-ds.pem
    """
    is_new = not (home / CONFIGURATION_FILE).exists()
    if not is_new and (seed is not None or at is not None):
        raise click.UsageError(f"--seed and --at are for a new SMKI, but there is already one in {home}.")
    require_directory(out.absolute().parent)
    refuse_occupied(out)
    if is_new:
        Smki.create(home, seed=seed, at=at).close()
    moment = parse_moment(Configuration.read(home.absolute()).created)
    clock = FixedClock(moment) if is_new and (seed is not None or at is not None) else None
    with Smki.open(home, clock) as smki:
        pairs = make_z1(smki, out)
        since, until = pairs[0].certificate.not_before, pairs[0].certificate.not_after
        policy = policy_text(smki.configuration.policy_oid)
    say(f"{len(pairs)} Organisation Certificates in {out}, valid from {iso(since)} to {iso(until)}:")
    for name, what in (
        (f"{CERTIFICATES_FOLDER}/", "certificates and private keys"),
        (f"{AUTHORITIES_FOLDER}/", "Root OCA and Issuing OCA"),
        (KEY_STORE_FILE, "key store with the same contents"),
        (ORG_CRYPTO_FILE, "archive that smki serve --publish-test-keys serves"),
    ):
        say(f"  {name:<15} {what}")
    say(f"They are {TEST_CERTIFICATE}s, {policy}.")
