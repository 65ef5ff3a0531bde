"""smki export"""

from __future__ import annotations

from pathlib import Path

import click

from smki.cli.common import home_option, output
from smki.home import Smki


@click.group()
def export() -> None:
    """Write certificates into a file."""


@export.command()
@home_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: standard output]")
def authorities(home: Path, out: Path | None) -> None:
    """Write the certificates of the authorities, in PEM: both roots and what they issued.

    \b
    smki export authorities --out authorities.pem
    openssl verify -x509_strict -CAfile authorities.pem meter-ds.pem
    """
    with Smki.open(home) as smki, output(out) as file:
        for record in smki.authorities():
            file.write(record.certificate.as_pem().encode())
