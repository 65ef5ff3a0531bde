"""smki backup and smki restore"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from smki.cli.common import cli_actor, home_option, json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.progress import progress_bar
from smki.cli.say import count_of, say, say_problems
from smki.clock import iso
from smki.home.backup import make_backup, restore_backup


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@json_option
def backup(file: Path, home: Path, as_json: bool) -> None:
    """Back up a home to FILE, also while it is served and certificates are issued.

    FILE holds the ledger as it was at one moment, the private keys as they are stored (encrypted if they are), and every
    other file of the home, with their SHA-256. Only its owner can read it. It must not exist yet, and appears when it is
    complete. A ledger of an older version is copied as it is, so that a backup can be made before an upgrade.

    \b
    smki backup /mnt/backups/pki-$(date +%Y%m%dT%H%M%S).zip
    """
    with progress_bar("backup") as report:
        manifest, digest = make_backup(home, file, report)
    if as_json:
        values = {
            "file": str(file),
            "made": iso(manifest.made),
            "manifestSha256": digest,
            "certificates": manifest.certificates,
            "lastEvent": manifest.last_event,
            "files": len(manifest.files),
            "bytes": sum(each.bytes for each in manifest.files),
        }
        click.echo(json.dumps(values, indent=2))
        return
    say(
        f"Backed up {home} to {file} as of {iso(manifest.made)}: {count_of(manifest.certificates, 'certificate')}, "
        f"{count_of(len(manifest.files), 'file')}",
        f"SHA-256 of its manifest: {digest}",
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@click.option(
    "--keep-credentials",
    is_flag=True,
    help="Leave API keys and officers' tokens valid, also those that were revoked after the backup.",
)
@json_option
def restore(file: Path, home: Path, keep_credentials: bool, as_json: bool) -> None:
    """Make a home from the backup FILE. The directory must not exist yet, or be empty.

    Every file is compared with the backup's manifest, and the ledger is checked. The home appears when it is complete.

    What happened after the backup is lost, but its numbers are not used again: lists, applications, certificates,
    credentials and extracts are numbered from the microseconds since 1970 on, and with a seed other serial numbers are
    drawn. API keys and tokens are revoked, because some may have been revoked after the backup. See docs/backup.md for
    what to do next.

    Exit status: 0 restored; 1 restored, but the home was not in order when the backup was made; 2 not restored.
    """
    with progress_bar("restoring") as report:
        restored = restore_backup(file, home, cli_actor(), report, keep_credentials=keep_credentials)
    if as_json:
        values = {
            "home": str(home),
            "backupMade": iso(restored.manifest.made),
            "certificates": restored.manifest.certificates,
            "numbersAbove": restored.numbers_above,
            "credentialsRevoked": restored.credentials_revoked,
            "clock": restored.clock,
            "problems": [problem.as_json() for problem in restored.problems],
        }
        click.echo(json.dumps(values, indent=2))
    else:
        say(
            f"Restored {home} as of {iso(restored.manifest.made)}: {count_of(restored.manifest.certificates, 'certificate')}",
            f"Numbers go on above {restored.numbers_above}.",
        )
        if restored.credentials_revoked:
            say(f"{restored.credentials_revoked} API keys and tokens were revoked; make new ones.")
        if restored.clock != "real":
            say(f"The clock of the home is {restored.clock}, as it was (smki clock show).")
        say_problems(restored.problems)
    sys.exit(EXIT_NEGATIVE if restored.problems else 0)
