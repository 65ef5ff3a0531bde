"""Reading and writing XML messages. They are parsed by lxml, without DTDs, entities or network access."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from xml.sax.saxutils import escape

from lxml import etree

from smki.problem import Malformed, Problem


def parse_message(body: bytes, root: str, fields: Mapping[str, bool]) -> dict[str, str]:
    """Parse a message with one level of elements, and return the text of each child of the root.

    :param root: the expected name of the root element.
    :param fields: the allowed children, with True for those that must not be empty.
    :raises Malformed: if it is not XML, has a DTD or another root, or has unknown, repeated or nested children.
    """
    if not body.strip():
        raise Malformed(_problem("xml.empty", "an empty body", f"<{root}>"))
    try:
        element = etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        _kept.parser = None  # one that has met an error must not be used again
        raise Malformed(_problem("xml.malformed", f"not well-formed XML: {error}", f"<{root}>")) from None
    if element.getroottree().docinfo.internalDTD is not None:
        raise Malformed(_problem("xml.dtd", "a document type declaration", "none"))
    if element.tag != root:
        raise Malformed(_problem("xml.root", f"root element {_name(element.tag)}", f"<{root}>"))
    return _children(element, root, fields)


_kept = threading.local()
"""The parser of each thread: making one takes as long as parsing a message."""


def _parser() -> etree.XMLParser:
    parser: etree.XMLParser | None = getattr(_kept, "parser", None)
    if parser is None:
        parser = _kept.parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
    return parser


def _children(element: etree._Element, root: str, fields: Mapping[str, bool]) -> dict[str, str]:
    found: dict[str, str] = {}
    known = ", ".join(fields)
    for child in element:
        name = _name(child.tag)
        if name not in fields or len(child):
            raise Malformed(_problem("xml.element", f"element {name} in {root}", f"only {known}"))
        if name in found:
            raise Malformed(_problem("xml.repeated", f"element {name} more than once", "each element once"))
        text = (child.text or "").strip()
        if fields[name] and not text:
            raise Malformed(_problem("xml.empty-element", f"element {name} is empty", "a value"))
        found[name] = text
    return found


def _name(tag: object) -> str:
    return str(tag)[:80]


def _problem(code: str, seen: str, expected: str) -> Problem:
    return Problem(code=code, subject="request body", seen=seen, expected=expected, clause="SEC Appendix P")


Content = str | list[tuple[str, "Content"]]
"""Content of an element: text, or child elements in order."""


def write_message(root: str, content: Content) -> bytes:
    """Return the document in UTF-8 with an XML declaration. Characters that XML does not allow become U+FFFD."""
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{_element(root, content)}".encode("utf-8", "replace")


def _element(name: str, content: Content) -> str:
    if not isinstance(content, str):
        inner = "".join([_element(*part) for part in content])
    elif (
        content.isascii() and content.isprintable() and "&" not in content and "<" not in content and ">" not in content
    ):
        inner = content
    else:
        inner = escape(_NOT_XML.sub("\ufffd", content), _LINE_ENDS)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_ENDS = {"\r": "&#13;"}
"""Carriage returns are escaped because parsers normalise them to line feeds."""
