"""The catalogue of defects: certificates, requests and revocation lists that are wrong in exactly one way each."""

from smki.testing.defects.case import Case
from smki.testing.defects.catalogue import Defect
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import Base, SamplePki
from smki.testing.defects.table_authorities import AUTHORITIES, TRUST
from smki.testing.defects.table_bytes import ENCODINGS, SIGNATURE, STRUCTURE, VERSION_AND_SERIAL_NUMBER
from smki.testing.defects.table_contents import ALTERNATIVE_NAMES, POLICIES
from smki.testing.defects.table_extensions import KEY_IDENTIFIERS, KEY_USAGE, WHICH
from smki.testing.defects.table_fields import ALGORITHMS, PUBLIC_KEYS
from smki.testing.defects.table_list_extensions import LIST_EXTENSIONS
from smki.testing.defects.table_lists import LIST_ENTRIES, LIST_FIELDS
from smki.testing.defects.table_names import NAMES, VALIDITY
from smki.testing.defects.table_requests import REQUESTS

DEFECTS: tuple[Defect, ...] = (
    *ENCODINGS,
    *STRUCTURE,
    *VERSION_AND_SERIAL_NUMBER,
    *ALGORITHMS,
    *SIGNATURE,
    *PUBLIC_KEYS,
    *NAMES,
    *VALIDITY,
    *WHICH,
    *KEY_USAGE,
    *KEY_IDENTIFIERS,
    *POLICIES,
    *ALTERNATIVE_NAMES,
    *AUTHORITIES,
    *TRUST,
    *REQUESTS,
    *LIST_FIELDS,
    *LIST_ENTRIES,
    *LIST_EXTENSIONS,
)
"""Every defect, by what it concerns."""

__all__ = ["DEFECTS", "Base", "Case", "Defect", "Expected", "Openssl", "SamplePki"]
