"""Makes a home from a backup: all of it or nothing, and so that no number of the lost time is used again."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smki.clock import RealClock, iso, machine_microseconds
from smki.home.backup.archive import BackupReader, Manifest, Progress, open_backup
from smki.home.backup.staging import staging, sync_directory
from smki.home.configuration import CONFIGURATION_FILE, Configuration, refuse_occupied
from smki.home.smki import LEDGER_FILE, Smki
from smki.keys.private_key import passphrase_from_environment
from smki.ledger.sqlite.copying import require_sound
from smki.ledger.sqlite.gate import pending, reading
from smki.ledger.sqlite.group_commit import unavailable
from smki.problem import Malformed, NotReady, Problem, SmkiError
from smki.registration import Actor
from smki.registration.restoration import GoOnAfterRestore, RevokeAllCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A home that was restored."""

    manifest: Manifest
    numbers_above: int
    """The number above which everything is numbered from now on."""
    credentials_revoked: int
    """The number of API keys and tokens that were revoked because of the restore."""
    clock: str
    """``real``, ``fixed`` or ``shifted``."""
    problems: tuple[Problem, ...]
    """What was wrong with the home already when the backup was made: contradictions in the ledger, keys that are
    missing."""


def restore_backup(
    path: Path,
    home: Path,
    actor: Actor,
    progress: Progress = lambda done, total: None,
    *,
    keep_credentials: bool = False,
) -> Restored:
    """Make a home from a backup. It appears when it is complete; until then, and if this fails, there is nothing.

    Every file is compared with the manifest, and the ledger is checked. Then the home leaves a gap in everything that is
    numbered (:class:`~smki.registration.restoration.GoOnAfterRestore`), and revokes every API key and token.

    :param home: a directory that does not exist yet, or is empty.
    :param keep_credentials: leave API keys and tokens valid. One that was revoked in the lost time is valid again then.
    :raises NotFound: if there is no such backup.
    :raises Malformed: if it is not a backup, or exceeds a bound.
    :raises IntegrityError: if a file differs from the manifest, or the ledger is damaged.
    :raises LedgerRefused: if the ledger is of a newer version or was altered.
    :raises NotReady: if something is at *home* already, there is too little space, or the machine's clock is behind.
    :raises OSError: if the home cannot be written.
    """
    home = home.absolute()
    _require_free(home)
    with open_backup(path) as backup:
        _require_files(backup, path)
        _require_later(backup.manifest)
        home.parent.mkdir(parents=True, exist_ok=True)
        _require_space(backup, home.parent)
        with staging(home) as work:
            place = work / "home"
            place.mkdir(mode=0o700)
            backup.unpack(place, progress)
            Configuration.read(place)
            _require_sound_ledger(place / LEDGER_FILE)
            restored = _go_on(place, backup, actor, keep_credentials=keep_credentials)
            for directory, _, _ in os.walk(place):
                sync_directory(Path(directory))
            _require_free(home)
            place.rename(home)
            sync_directory(home.parent)
    return restored


def _go_on(place: Path, backup: BackupReader, actor: Actor, *, keep_credentials: bool) -> Restored:
    with Smki.open(place) as smki:
        go_on = GoOnAfterRestore(
            machine_microseconds=machine_microseconds(),
            backup_made=backup.manifest.made,
            backup_sha256=backup.sha256,
        )
        above = smki.registration.execute(go_on, actor)
        revoked = 0
        if not keep_credentials:
            revoke = RevokeAllCredentials(revoked=RealClock().now())
            revoked = len(smki.registration.execute(revoke, actor))
        return Restored(
            manifest=backup.manifest,
            numbers_above=above,
            credentials_revoked=revoked,
            clock=getattr(smki.clock, "setting", "real"),
            problems=(*smki.ledger.inconsistencies(), *_unusable_keys(smki)),
        )


def _unusable_keys(smki: Smki) -> Iterator[Problem]:
    """Yield what is wrong with the keys of the authorities. Encrypted ones are only read if there is a passphrase."""
    for record in smki.authorities():
        try:
            smki.hierarchy.require_key(record)
        except SmkiError as error:
            if error.code != "key.unreadable" or passphrase_from_environment() is not None:
                yield from error.problems


def _require_sound_ledger(path: Path) -> None:
    try:
        pending(path)
        with reading(path) as connection:
            require_sound(connection, path)
    except sqlite3.Error as error:
        raise unavailable(error) from error


def _require_free(home: Path) -> None:
    if home.is_symlink():
        seen, expected = "a link", "a new directory, or an empty one"
        raise NotReady(Problem(code="home.occupied", subject=str(home), seen=seen, expected=expected))
    refuse_occupied(home)


def _require_files(backup: BackupReader, path: Path) -> None:
    names = {file.name for file in backup.manifest.files}
    for name in (CONFIGURATION_FILE, LEDGER_FILE):
        if name not in names:
            raise Malformed(
                Problem(code="backup.manifest", subject=str(path), seen=f"no {name}", expected="all files of a home")
            )
    unexpected = sorted(name for name in names if name.startswith(f"{LEDGER_FILE}-"))
    if unexpected:
        raise Malformed(
            Problem(code="backup.manifest", subject=str(path), seen=unexpected[0], expected="the ledger in one file")
        )


def _require_later(manifest: Manifest) -> None:
    now = RealClock().now()
    if now < manifest.made:
        raise NotReady(
            Problem(
                code="restore.clock-behind",
                subject="the machine's clock",
                seen=iso(now),
                expected=f"a time after {iso(manifest.made)}, when the backup was made",
            )
        )


def _require_space(backup: BackupReader, directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < backup.total:
        raise NotReady(
            Problem(
                code="restore.no-space",
                subject=str(directory),
                seen=f"{free} bytes free",
                expected=f"{backup.total} bytes at least",
            )
        )
