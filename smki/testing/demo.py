"""Issue certificates for the published test identities, on new keys that are published on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smki.file import PRIVATE_MODE, new_directory, replacing
from smki.home.smki import Smki
from smki.interchange import CertificateWithKey, certificate_name, key_store_json, org_crypto_zip, write_folder
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


def make_z1(smki: Smki, out: Path) -> list[CertificateWithKey]:
    """Issue an Organisation Certificate for every published identity, publish its key, and write them all to files.

    ``certificates/`` has each certificate and key (``Z1-supplier-ds.pem``, ``.key``), ``authorities/`` the certificates of
    the issuing authorities; ``keystore.json`` and ``org-crypto.zip`` have the same for the published client.

    :param out: a directory that does not exist yet, or is empty; it is complete when it appears.
    :raises NotReady: when *out* exists and is not empty; nothing is issued then.
    :raises Refused: when the Parties in the home are not eligible for these certificates.
    :raises OSError: when the files cannot be written.
    """
    refuse_occupied(out)
    with new_directory(out) as directory:
        pairs = [_issue(smki, identity) for identity in PUBLISHED_IDENTITIES]
        write_folder(directory / CERTIFICATES_FOLDER, pairs)
        write_folder(directory / AUTHORITIES_FOLDER, _authorities(smki))
        with replacing(directory / KEY_STORE_FILE, PRIVATE_MODE) as file:
            file.write(key_store_json(pairs).encode())
        with replacing(directory / ORG_CRYPTO_FILE, PRIVATE_MODE) as file:
            # In the order of the names, like the archive of the Repository.
            file.write(org_crypto_zip(sorted(pairs, key=lambda pair: pair.name)))
    for pair in pairs:
        assert pair.key is not None
        smki.published_keys.add(pair.name, pair.key)
    return pairs


def refuse_occupied(out: Path) -> None:
    """Check that the results can be written to *out*, before anything is issued.

    :raises NotReady: when *out* exists and is not an empty directory.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise NotReady(
            Problem(
                code="folder.occupied",
                subject=str(out),
                seen="is there already",
                expected="no such folder yet, or an empty one",
                remedy="Choose another folder with --out, or move this one away.",
            )
        )


def _issue(smki: Smki, identity: PublishedIdentity) -> CertificateWithKey:
    key, request = smki.make_organisation_request(identity.entity, identity.role, identity.usage, identity.common_name)
    actor = Actor(interface="demo")
    application = Application(
        kind=CertificateKind.ORGANISATION, request=request, top_up=identity.top_up, statement=True
    )
    record = smki.issue(application, actor).record
    if record.status_at(smki.clock.now()) is CertificateStatus.PENDING:
        smki.registration.execute(Accept(record.serial_number), actor)
    return CertificateWithKey(record.certificate, key, identity.name)


def _authorities(smki: Smki) -> Iterator[CertificateWithKey]:
    for kind in _AUTHORITIES:
        certificate = smki.hierarchy.newest(smki.ledger, kind).certificate
        yield CertificateWithKey(certificate, None, certificate_name(certificate))
