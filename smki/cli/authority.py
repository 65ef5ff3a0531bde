"""smki authority"""

from __future__ import annotations

from pathlib import Path

import click

from smki.cli.common import cli_actor, home_option
from smki.cli.say import say
from smki.clock import iso
from smki.home.smki import Smki
from smki.problem import NotFound, Problem
from smki.profile.designation import TEST_CERTIFICATE, policy_text
from smki.registration.authorities import EstablishAuthority
from smki.registration.revocation import PMA, Revoke
from smki.sec.role import CertificateKind

_ISSUING = click.Choice([CertificateKind.ISSUING_OCA.value, CertificateKind.ISSUING_DCA.value])


@click.group()
def authority() -> None:
    """List, add, renew and revoke certification authorities."""


@authority.command(name="list")
@home_option
def list_(home: Path) -> None:
    """List the certification authorities."""
    with Smki.open(home) as smki:
        now = smki.clock.now()
        for record in smki.authorities():
            name = record.certificate.common_name
            say(f"{name:<5} {record.kind.title:<12} {record.serial_number}  {record.status_at(now).label}")
        say(f"Their certificates are {TEST_CERTIFICATE}s, {policy_text(smki.configuration.policy_oid)}.", err=True)


def _establish(home: Path, kind: str) -> None:
    with Smki.open(home) as smki:
        record = smki.registration.execute(EstablishAuthority(CertificateKind(kind)), cli_actor())
        smki.renew_lists(interface="cli")
    say(f"{record.kind.title} {record.certificate.common_name}, serial number {record.serial_number}")


@authority.command()
@click.argument("kind", type=_ISSUING)
@home_option
def add(kind: str, home: Path) -> None:
    """Add another Issuing DCA, or an Issuing OCA that replaces the current one.

    Device Certificates are then issued by each Issuing DCA in turn, or by the one named with --issuer.
    """
    _establish(home, kind)


@authority.command()
@click.argument("kind", type=_ISSUING)
@home_option
def renew(kind: str, home: Path) -> None:
    """Replace an authority with a new one. The revocation lists of the old one are still issued."""
    _establish(home, kind)


@authority.command()
@click.argument("name")
@click.option("--reason", required=True, help="Reason for the revocation, as for smki revoke.")
@click.option("--officer", "--by", default=PMA, show_default=True, help="An officer of the DCC, or the SMKI PMA.")
@home_option
def revoke(name: str, reason: str, officer: str, home: Path) -> None:
    """Revoke an Issuing OCA and put it on the Organisation ARL."""
    with Smki.open(home) as smki:
        found = [record for record in smki.authorities() if record.certificate.common_name == name]
        if not found:
            names = ", ".join(str(record.certificate.common_name) for record in smki.authorities())
            raise NotFound(
                Problem(
                    code="authority.unknown", subject=f"authority {name}", seen="unknown", expected=f"one of: {names}"
                )
            )
        command = Revoke(serial_number=found[0].serial_number, reason=reason)
        done = smki.registration.execute(command, cli_actor(officer=officer))
        record = smki.lists(CertificateKind.ROOT_OCA, interface="cli").publish()
    say(
        f"{done.record.kind.title} {name} is revoked from {iso(done.revocation.effective)}; Organisation ARL {record.number} lists it."
    )
