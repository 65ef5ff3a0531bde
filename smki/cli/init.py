"""smki init"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from smki.cli.common import MOMENT, home_option
from smki.cli.participant import MODE
from smki.cli.say import say
from smki.eligibility.assumptions import DEFAULT_MODE
from smki.home.smki import Smki
from smki.ledger import CertificateQuery
from smki.sec.recorded_test import ParticipationMode


@click.command()
@home_option
@click.option("--seed", help="Make keys, serial numbers and certificates reproducible, byte for byte.")
@click.option("--at", type=MOMENT, help="Time (UTC) of its creation. [default: now; with --seed 2026-01-01]")
@click.option(
    "--deemed-accepted-after",
    type=click.IntRange(0, 100 * 366 * 86400),
    default=0,
    metavar="SECONDS",
    help="Time after which a pending Organisation Certificate is deemed accepted. [default: 0, accepted at once]",
)
@click.option(
    "--participants",
    type=MODE,
    default=DEFAULT_MODE.value,
    show_default=True,
    help="strict: a Party needs a recorded test to have Test Certificates; open: every Party counts as taking part.",
)
def init(
    home: Path, seed: str | None, at: datetime | None, deemed_accepted_after: int, participants: ParticipationMode
) -> None:
    """Create an SMKI with its authorities and the DCC's own certificates.

    Creates the Root OCA and Issuing OCA for Organisation Certificates, the Root DCA and an Issuing DCA for
    Device Certificates, and the certificates that the DCC must lodge before anyone else can apply (SEC L3.12).

    Keys are stored in DIR/keys, encrypted if SMKI_KEY_PASSPHRASE is set. With --seed they are derived from the
    seed, so anyone who knows the seed knows every key.
    """
    delay = timedelta(seconds=deemed_accepted_after)
    with Smki.create(home, seed=seed, at=at, deemed_accepted_after=delay, participants=participants) as smki:
        for record in smki.ledger.certificates(CertificateQuery()):
            role = f" {record.role.label}" if record.role and not record.kind.is_authority else ""
            usage = f" {record.usage.code}" if record.usage else ""
            name = record.certificate.common_name or record.entity_identifier
            say(f"{record.kind.title}{role}{usage}: {name}, serial number {record.serial_number}")
    say(f"Created a test SMKI in {home}. Next: smki issue device --eui 00-DB-12-34-56-78-90-A0 --usage ds")
