"""smki init"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from smki.cli.clock import parse_shift
from smki.cli.common import MOMENT, Parsed, home_option
from smki.cli.participant import MODE
from smki.cli.say import say
from smki.eligibility.assumptions import DEFAULT_MODE
from smki.home.smki import Smki
from smki.ledger import CertificateQuery
from smki.problem import Malformed, Problem
from smki.sec.recorded_test import ParticipationMode

MAX_DEEMED_AFTER = timedelta(days=100 * 366)
"""Maximum time after which a certificate can be deemed accepted."""

IMMEDIATE = "immediate"
DEEMED_AFTER = "deemed-after"


def parse_acceptance(text: str) -> timedelta:
    """Parse when an Organisation Certificate is accepted: ``immediate``, or ``deemed-after 8h`` (also with a colon).

    :returns: the time after its issue at which it is deemed accepted; zero for at once.
    :raises Malformed: for anything else.
    """
    words = text.replace(":", " ", 1).split()
    if words == [IMMEDIATE]:
        return timedelta(0)
    if len(words) == 2 and words[0] == DEEMED_AFTER:
        after = parse_shift(words[1])
        if timedelta(0) < after <= MAX_DEEMED_AFTER:
            return after
    raise Malformed(
        Problem(
            code="acceptance.malformed",
            subject="acceptance",
            seen=f"{text[:64]!r}",
            expected=f"{IMMEDIATE}, or {DEEMED_AFTER} and a time of at most 100 years",
        )
    )


class _InitCommand(click.Command):
    """Lets --acceptance take one word or two. The command has no arguments for which the second could be meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        for at, word in enumerate(given[:-1]):
            follows = word == DEEMED_AFTER and at and given[at - 1] == "--acceptance"
            if (follows or word == f"--acceptance={DEEMED_AFTER}") and not given[at + 1].startswith("--"):
                given[at : at + 2] = [f"{word} {given[at + 1]}"]
                break
        return super().parse_args(ctx, given)


@click.command(cls=_InitCommand)
@home_option
@click.option("--seed", help="Make keys, serial numbers and certificates reproducible, byte for byte.")
@click.option("--at", type=MOMENT, help="Time (UTC) of its creation. [default: now; with --seed 2026-01-01]")
@click.option(
    "--acceptance",
    type=Parsed("immediate|deemed-after SPAN", parse_acceptance),
    help="When Organisation Certificates are accepted: at once, or by their subscriber (smki accept), and deemed so after a "
    "time like 8h or 30d. [default: immediate]",
)
@click.option(
    "--deemed-accepted-after",
    type=click.IntRange(0, int(MAX_DEEMED_AFTER.total_seconds())),
    metavar="SECONDS",
    help="The same as --acceptance deemed-after, in seconds; 0 for immediate.",
)
@click.option(
    "--participants",
    type=MODE,
    default=DEFAULT_MODE.value,
    show_default=True,
    help="strict: a Party needs a recorded test to have Test Certificates; open: every Party counts as taking part.",
)
def init(
    home: Path,
    seed: str | None,
    at: datetime | None,
    acceptance: timedelta | None,
    deemed_accepted_after: int | None,
    participants: ParticipationMode,
) -> None:
    """Create an SMKI with its authorities and the DCC's own certificates.

    Creates the Root OCA and Issuing OCA for Organisation Certificates, the Root DCA and an Issuing DCA for
    Device Certificates, and the certificates that the DCC must lodge before anyone else can apply (SEC L3.12).

    Keys are stored in DIR/keys, encrypted if SMKI_KEY_PASSPHRASE is set. With --seed they are derived from the
    seed, so anyone who knows the seed knows every key.

    \b
    smki init --acceptance deemed-after 8h
    """
    if acceptance is not None and deemed_accepted_after is not None:
        raise click.UsageError("Use --acceptance or --deemed-accepted-after, not both.")
    after = timedelta(seconds=deemed_accepted_after or 0) if acceptance is None else acceptance
    with Smki.create(home, seed=seed, at=at, deemed_accepted_after=after, participants=participants) as smki:
        for record in smki.ledger.certificates(CertificateQuery()):
            role = f" {record.role.label}" if record.role and not record.kind.is_authority else ""
            usage = f" {record.usage.code}" if record.usage else ""
            name = record.certificate.common_name or record.entity_identifier
            say(f"{record.kind.title}{role}{usage}: {name}, serial number {record.serial_number}")
    say(f"Created a test SMKI in {home}. Next: smki issue device --eui 00-DB-12-34-56-78-90-A0 --usage ds")
