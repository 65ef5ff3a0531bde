"""File formats for moving certificates in and out of an SMKI: key stores, PKCS#12, archives, folders.

All of them contain named certificates with their private keys where available (:class:`CertificateWithKey`).
"""

from smki.interchange.archive import org_crypto_zip, write_archive
from smki.interchange.certificate_with_key import CertificateWithKey
from smki.interchange.folder import write_folder
from smki.interchange.key_store import key_store_json, read_key_store, write_key_store
from smki.interchange.naming import certificate_name
from smki.interchange.pkcs12 import pkcs12

__all__ = [
    "CertificateWithKey",
    "certificate_name",
    "key_store_json",
    "org_crypto_zip",
    "pkcs12",
    "read_key_store",
    "write_archive",
    "write_folder",
    "write_key_store",
]
