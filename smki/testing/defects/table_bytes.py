"""Defects of encoding and structure, in Device Certificates: many parsers accept them."""

from __future__ import annotations

from smki.pki import der
from smki.pki.bounds import MAX_EXTENSIONS
from smki.pki.oid import Oid
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    FALSE,
    added,
    also,
    appended,
    body,
    both,
    change,
    cut,
    extension,
    extension_element,
    instead,
    long_length,
    only,
    padded,
    put,
    retagged,
    signature,
    whole,
    within,
)
from smki.testing.defects.expected import Openssl
from smki.testing.defects.sample_pki import Base

_D = Base.DEVICE
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_NESTED = der.sequence()
for _ in range(100):
    _NESTED = der.sequence(_NESTED)

ENCODINGS = (
    defect(
        _D,
        "trailing-octets",
        "two bytes after the end of the certificate",
        whole(appended(b"\0\0")),
        "der.trailing-octets",
        _B,
    ),
    defect(
        _D,
        "length-long-outside",
        "the length of the whole encoded in one byte too many",
        whole(long_length),
        "der.length-not-minimal",
        _B,
    ),
    defect(
        _D,
        "length-long-signed",
        "the length of tbsCertificate encoded in one byte too many",
        body(long_length),
        "der.length-not-minimal",
        _B,
    ),
    defect(
        _D,
        "length-long-serial-number",
        "the length of the serial number encoded in one byte too many",
        change(long_length, "serial_number"),
        "der.length-not-minimal",
        _B,
    ),
    defect(
        _D,
        "length-long-signature",
        "the length of r in the signature encoded in one byte too many",
        signature(within((0,), long_length)),
        "der.length-not-minimal",
        _S,
    ),
    defect(
        _D,
        "length-long-public-key",
        "the length of subjectPublicKey encoded in one byte too many",
        change(within((1,), long_length), "public_key"),
        "der.length-not-minimal",
        _B,
    ),
    defect(
        _D,
        "integer-padded-serial-number",
        "a serial number with a needless zero byte in front",
        change(padded, "serial_number"),
        "der.integer-not-minimal",
        _X,
    ),
    defect(
        _D,
        "integer-padded-signature",
        "an s in the signature with a needless zero byte in front (BER, as seen in a published certificate)",
        signature(within((1,), padded)),
        "der.integer-not-minimal",
        _S,
    ),
    defect(
        _D,
        "boolean-one",
        "critical as 01 instead of FF",
        extension(Oid.KEY_USAGE, critical=bytes.fromhex("010101")),
        "der.boolean-not-canonical",
        _B,
    ),
    defect(
        _D,
        "default-written",
        "critical FALSE written out, though it is the default",
        extension(Oid.SUBJECT_KEY_IDENTIFIER, critical=FALSE),
        "der.default-encoded",
        _B,
    ),
    defect(
        _D,
        "bit-string-padding",
        "unused bits of keyUsage that are set",
        extension(Oid.KEY_USAGE, bytes.fromhex("03020781")),
        "der.bit-string",
        _B,
    ),
    defect(
        _D,
        "named-bits-trailing",
        "keyUsage with trailing zero bits",
        extension(Oid.KEY_USAGE, bytes.fromhex("03020080")),
        "der.named-bits",
        _B,
    ),
    defect(
        _D,
        "object-identifier-padded",
        "an arc of hwType with a needless leading byte",
        extension(
            Oid.SUBJECT_ALT_NAME,
            change_value=within((0, 1, 0, 0), lambda oid: der.element(der.OBJECT_IDENTIFIER, b"\x2a\x80\x03")),
        ),
        "der.object-identifier",
        _B,
    ),
    defect(
        _D,
        "octet-string-constructed",
        "the subjectKeyIdentifier as a constructed OCTET STRING",
        extension(Oid.SUBJECT_KEY_IDENTIFIER, change_value=lambda value: der.element(0x24, value)),
        "der.constructed-string subject-key-identifier.malformed",
        _B,
    ),
    defect(
        _D,
        "element-cut-short",
        "an extension whose contents promise more bytes than there are",
        both(extension(Oid.CERTIFICATE_POLICIES, bytes.fromhex("3003300a06"))),
        "der.unreadable certificate-policies.malformed",
        _S,
    ),
    defect(
        _D,
        "too-large",
        "70,000 bytes of hwSerialNum",
        extension(
            Oid.SUBJECT_ALT_NAME, change_value=within((0, 1, 0, 1), lambda serial: der.octet_string(bytes(70_000)))
        ),
        "der.too-large",
        _B,
    ),
)

STRUCTURE = (
    defect(_D, "cut-short", "the last ten bytes missing", whole(cut(10)), "structure.unreadable", _X),
    defect(_D, "without-signature", "no signatureValue", whole(only(0, 1)), "structure.certificate", _X),
    defect(
        _D,
        "element-after-signature",
        "a fourth element after the signature",
        whole(also(der.integer(1))),
        "structure.certificate",
        _X,
    ),
    defect(_D, "without-serial-number", "no serial number", put(serial_number=b""), "structure.field-missing", _X),
    defect(
        _D,
        "element-after-extensions",
        "a field after the extensions",
        put(after_extensions=der.integer(1)),
        "structure.field-unexpected",
        _X,
    ),
    defect(_D, "validity-of-one-time", "a validity without notAfter", put(not_after=b""), "structure.validity", _X),
    defect(
        _D,
        "extensions-not-a-sequence",
        "a SET of extensions",
        change(lambda _: der.element(der.SET), "extension_list"),
        "structure.extensions",
        _X,
    ),
    defect(
        _D,
        "extension-of-three-values",
        "an extension with an element after its value",
        extension_element(Oid.SUBJECT_KEY_IDENTIFIER, also(der.integer(1))),
        "structure.extension subject-key-identifier.missing",
        _X,
    ),
    defect(
        _D,
        "unique-identifier",
        "a subjectUniqueID",
        put(after_key=der.element(0x82, b"\0" + bytes(8))),
        "unique-identifier.present",
        _B,
    ),
)

VERSION_AND_SERIAL_NUMBER = (
    defect(
        _D,
        "version-left-out",
        "no version, which means v1, though there are extensions",
        put(version=b""),
        "version.wrong",
        _S,
    ),
    defect(
        _D,
        "version-2",
        "version 2, though there are extensions",
        put(version=der.explicit(0, der.integer(1))),
        "version.wrong",
        _S,
    ),
    defect(
        _D,
        "version-1-written",
        "version 1, written out though it is the default",
        put(version=der.explicit(0, der.integer(0))),
        "version.wrong der.default-encoded",
        _S,
    ),
    defect(
        _D,
        "serial-number-zero",
        "serial number 0",
        put(serial_number=der.integer(0)),
        "serial-number.not-positive",
        _B,
    ),
    defect(
        _D,
        "serial-number-negative",
        "a negative serial number",
        change(
            within((), lambda serial: der.element(der.INTEGER, b"\x80" + der.read(serial).content[1:])), "serial_number"
        ),
        "serial-number.not-positive",
        _B,
    ),
    defect(
        _D,
        "serial-number-20-octets",
        "a serial number of 20 bytes",
        put(serial_number=der.integer(1 << 158)),
        "serial-number.too-long",
        _B,
    ),
)

SIGNATURE = (
    defect(
        _D,
        "signature-raw",
        "a signature as r and s in 64 plain bytes",
        signature(instead(bytes(range(1, 65)))),
        "signature.malformed",
        _S,
    ),
    defect(
        _D,
        "signature-of-zero",
        "a signature with r = 0",
        signature(within((0,), instead(der.integer(0)))),
        "signature.out-of-range",
        _S,
    ),
    defect(
        _D,
        "signature-tag",
        "a signature as OCTET STRING",
        whole(within((2,), retagged(der.OCTET_STRING))),
        "structure.certificate",
        _X,
    ),
    defect(
        _D,
        "version-2001-octets",
        "a version of 2,001 bytes",
        put(version=der.explicit(0, der.element(der.INTEGER, b"\x7f" + bytes(2000)))),
        "der.integer-too-long version.wrong",
        _S,
    ),
    defect(
        _D,
        "extensions-65",
        "more extensions than are read",
        both(*(added(f"1.2.826.0.1.8641679.99.{number}", der.element(der.NULL)) for number in range(MAX_EXTENSIONS))),
        "der.too-many",
        _B,
    ),
)
