"""Makes text from other sources safe to print.

A common name, a file name, a reason or the name of a Party can contain line breaks, terminal escape sequences, and
characters that are invisible or change the direction of writing. :func:`visible` escapes all of these, so that such
text cannot imitate another line or a message of this program. JSON output does not need it, because it is escaped
anyway.
"""

from __future__ import annotations

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """Return *text* on one line, with every character that is not printable as an escape: ``\\n``, ``\\x1b``,
    ``\\u202e``.

    Not printable (:meth:`str.isprintable`) are control and format characters, including those for bidirectional text
    and of zero width, line and paragraph separators, every space but U+0020, surrogates, and unassigned code points.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return _SHORT.get(character, f"\\x{number:02x}")
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
