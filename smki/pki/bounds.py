"""Limits on what is read from certificates, certification requests and revocation lists.

Larger input is rejected within bounded time, with an error that names the limit. All limits are far above what any SMKI
certificate, request or list needs; the profiles (:mod:`smki.profile.tables`) allow much less.
"""

from __future__ import annotations

MAX_BYTES = 64 * 1024
"""Maximum size of a certificate, of a certification request, and of a revocation list without its entries."""

MAX_DEPTH = 64
"""Maximum nesting of elements."""

MAX_INTEGER_BYTES = 64
"""Maximum size of an INTEGER in bytes: versions, serial numbers, pathLenConstraint, cRLNumber, r and s of a signature.

Python refuses to format a number of more than 4,300 digits in decimal, so one of 2,001 bytes must not become an int.
"""

MAX_OID_BYTES = 64
"""Maximum size of an OBJECT IDENTIFIER."""

MAX_NAME_BYTES = 4096
"""Maximum size of a distinguished name."""

MAX_NAME_ATTRIBUTES = 32
"""Maximum number of attributes in a distinguished name."""

MAX_EXTENSIONS = 64
"""Maximum number of extensions in a certificate, a request or a revocation list."""

MAX_REQUEST_ATTRIBUTES = 16
"""Maximum number of attributes in a certification request."""

MAX_ATTRIBUTE_VALUES = 16
"""Maximum number of values in an attribute of a certification request."""

MAX_ENTRY_BYTES = 4096
"""Maximum size of one entry of a revocation list."""

MAX_ENTRY_EXTENSIONS = 16
"""Maximum number of extensions in one entry of a revocation list."""

MAX_FINDINGS = 1000
"""Maximum number of findings at error or above in a report, and of those below error."""
