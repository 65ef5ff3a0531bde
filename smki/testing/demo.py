"""Fresh certificates for the published test identities, with keys of their own that are public on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smki.file import PRIVATE_MODE, new_directory, replacing
from smki.home.smki import Smki
from smki.interchange import Holding, certificate_name, key_store_json, org_crypto_zip, write_folder
from smki.problem import NotReady, Problem
from smki.registration import Actor, Application
from smki.registration.acceptance import Accept
from smki.sec.role import CertificateKind, CertificateStatus
from smki.testing.published_identities import PUBLISHED_IDENTITIES, PublishedIdentity

CERTIFICATES_FOLDER = "certificates"
AUTHORITIES_FOLDER = "authorities"
KEY_STORE_FILE = "keystore.json"
ORG_CRYPTO_FILE = "org-crypto.zip"

_AUTHORITIES = (CertificateKind.ROOT_OCA, CertificateKind.ISSUING_OCA)


def make_z1(smki: Smki, out: Path) -> list[Holding]:
    """Issue an Organisation Certificate for every published identity, publish its key, and write them all to files.

    ``certificates/`` has each with its key (``Z1-supplier-ds.pem``, ``.key``), ``authorities/`` those that issued them,
    ``keystore.json`` and ``org-crypto.zip`` the same for the published client.

    :param out: a directory that does not exist yet, or is empty; it appears when it is whole.
    :raises NotReady: when there is something at *out* already; nothing is issued then.
    :raises Refused: when the home's Parties may not have such certificates (any more).
    :raises OSError: when nothing can be written there.
    """
    refuse_occupied(out)
    with new_directory(out) as directory:
        holdings = [_issue(smki, identity) for identity in PUBLISHED_IDENTITIES]
        write_folder(directory / CERTIFICATES_FOLDER, holdings)
        write_folder(directory / AUTHORITIES_FOLDER, _authorities(smki))
        with replacing(directory / KEY_STORE_FILE, PRIVATE_MODE) as file:
            file.write(key_store_json(holdings).encode())
        with replacing(directory / ORG_CRYPTO_FILE, PRIVATE_MODE) as file:
            # As the Repository hands it out, hence in the order of the names.
            file.write(org_crypto_zip(sorted(holdings, key=lambda holding: holding.name)))
    for holding in holdings:
        assert holding.key is not None
        smki.published_keys.add(holding.name, holding.key)
    return holdings


def refuse_occupied(out: Path) -> None:
    """Find out in time that the results have no place.

    :raises NotReady: when there is something at *out* already, other than an empty directory.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise NotReady(
            Problem("folder.occupied", str(out), "is there already", "no such folder yet, or an empty one", "",
                    "Choose another folder with --out, or move this one away.")
        )  # fmt: skip


def _issue(smki: Smki, identity: PublishedIdentity) -> Holding:
    key, request = smki.make_organisation_request(identity.entity, identity.role, identity.usage, identity.common_name)
    actor = Actor(interface="demo")
    application = Application(kind=CertificateKind.ORGANISATION, request=request, top_up=identity.top_up)
    record = smki.issue(application, actor).record
    if record.status_at(smki.clock.now()) is CertificateStatus.PENDING:
        smki.registration.execute(Accept(record.serial_number), actor)
    return Holding(record.certificate, key, identity.name)


def _authorities(smki: Smki) -> Iterator[Holding]:
    for kind in _AUTHORITIES:
        certificate = smki.hierarchy.newest(smki.ledger, kind).certificate
        yield Holding(certificate, None, certificate_name(certificate))
