"""Text for people, made of what came from somebody else.

A common name, a file name, a reason or the name of a Party may hold line breaks, escape sequences of a terminal, and
characters that turn the direction of writing or that nobody sees. :func:`visible` makes all of these visible, so that no
text can pass for another line, or for something that this program says. JSON does not need it: it escapes by itself.
"""

from __future__ import annotations

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """*text* on one line: every character that is not printable is written as an escape, ``\\n``, ``\\x1b``, ``\\u202e``.

    Not printable (:meth:`str.isprintable`) are control and format characters, among them those for bidirectional text
    and of no width, line and paragraph separators, every space but U+0020, surrogates and what Unicode does not assign.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return _SHORT.get(character, f"\\x{number:02x}")
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
