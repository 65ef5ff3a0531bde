"""Backups that are taken while several processes issue, revoke and publish; each is restored, and used."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smki import CertificateKind, Smki
from smki.home.backup import make_backup, restore_backup
from smki.ledger import CertificateQuery, EventKind, EventQuery
from smki.problem import SmkiError
from smki.registration import Actor
from smki.registration.revocation_lists import PublishList
from tests.drills.commands import Commands, make_home
from tests.support import SOAK

FORK = multiprocessing.get_context("fork")
BACKUPS = 5 * SOAK
"""Backups that are taken; 100 by `make soak`."""
PROCESSES = 3
PAUSE_SECONDS = 0.03 if SOAK == 1 else 0.3
"""Seconds between two commands of a process, so that the ledger does not grow too large to be checked a hundred times."""
CLI = Actor(interface="cli")


def used(smki: Smki, choice: random.Random) -> None:
    """Run one random command, or publish a list, or make an extract."""
    commands = Commands.of_home(smki, choice)
    try:
        if choice.random() < 0.2:
            authority = smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_OCA)
            smki.registration.execute(PublishList(authority), Actor(interface="drill"))
        elif choice.random() < 0.02:
            smki.extracts.full()
        else:
            command, actor = commands.any()
            smki.registration.execute(command, Actor(interface="drill", party=actor.party, officer=actor.officer))
    except SmkiError as error:
        if error.code.startswith("ledger"):
            raise


def work(home: Path, seed: int, stop: Any, errors: Any) -> None:
    """Use a home until told to stop."""
    try:
        choice = random.Random(seed)
        with Smki.open(home) as smki:
            while not stop.is_set():
                used(smki, choice)
                time.sleep(PAUSE_SECONDS)
    except BaseException as error:
        errors.put(repr(error))
    os._exit(0)


@contextmanager
def under_load(home: Path) -> Iterator[None]:
    """Have several processes use a home in the meantime."""
    stop, errors = FORK.Event(), FORK.Queue()
    workers = [FORK.Process(target=work, args=(home, seed, stop, errors)) for seed in range(PROCESSES)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join(60)
    assert errors.empty(), errors.get()


def handed_out(smki: Smki) -> set[tuple[str, Any]]:
    """Serial numbers, list numbers of every authority, numbers of applications, credentials and extracts."""
    found: set[tuple[str, Any]] = {("serial number", record.serial_number) for record in smki.authorities()}
    found |= {("serial number", record.serial_number) for record in smki.ledger.certificates(CertificateQuery())}
    found |= {("certificate", record.id) for record in smki.ledger.certificates(CertificateQuery())}
    for event in smki.ledger.events():
        if event.kind is EventKind.LIST_ISSUED and event.content:
            found.add(("list", (event.content["issuer"], event.content["number"])))
        if event.kind is EventKind.CREDENTIAL_MADE and event.content:
            found.add(("credential", event.content["id"]))
    return found | {("extract", extract.number) for extract in smki.extracts.all()}


def test_every_backup_under_load_gives_a_sound_home(tmp_path: Path) -> None:
    """And none of them, used for a while, hands out what the lost time or another of them handed out."""
    home, file, target = tmp_path / "pki", tmp_path / "backup", tmp_path / "restored"
    make_home(home)
    histories: list[set[tuple[str, Any]]] = []
    kept: set[tuple[str, Any]] = set()
    grown = []
    with under_load(home):
        for number in range(BACKUPS):
            time.sleep(0.2)
            manifest, digest = make_backup(home, file)
            grown.append(manifest.last_event)
            assert restore_backup(file, target, CLI).problems == ()
            with Smki.open(target) as smki:
                assert smki.check().problems == (), number
                (event,) = smki.ledger.events(EventQuery(kind=EventKind.RESTORED))
                assert event.content is not None
                assert event.content["backupSha256"] == digest
                kept = handed_out(smki)
                choice = random.Random(1000 + number)
                for _ in range(20):
                    used(smki, choice)
                smki.lists(CertificateKind.ISSUING_OCA).publish()
                smki.extracts.full()
                histories.append(handed_out(smki) - kept)
                assert smki.check().problems == (), number
            for path in smki.path.glob("extracts/*.manifest.json"):
                json.loads(path.read_bytes())
            file.unlink()
            shutil.rmtree(target)
    with Smki.open(home) as smki:
        assert smki.check().problems == ()
        histories.append(handed_out(smki))
    assert grown == sorted(grown)
    assert grown[-1] > grown[0] + BACKUPS, "the home was in use"
    assert all(histories)
    assert len(set.union(*histories)) == sum(map(len, histories))
