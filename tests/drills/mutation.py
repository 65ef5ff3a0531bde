"""Mutated certificates, certification requests and revocation lists, the same again for the same seed and number.

Half of them are mutated byte by byte. The others are taken apart, changed as DER and put together again with right
lengths, and most of these are signed again by the key that they should be signed by, so that nothing stops at a signature.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from smki.pki import der
from smki.pki.der import DerError, Node
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM
from smki.testing.defects import DEFECTS, Base, SamplePki
from smki.testing.defects.signer import sign

SLOTS = (der.OCTET_STRING, der.BIT_STRING)
MAX_GROWTH = 100_000
"""Maximum number of bytes that one repetition adds."""


@dataclass(frozen=True, slots=True)
class Example:
    """What is mutated: one of the good twins or of the defects."""

    base: Base
    encoded: bytes


@dataclass(slots=True)
class Element:
    """A DER element that can be changed: its contents are bytes or elements."""

    tag: int
    content: bytes = b""
    children: list[Element] = field(default_factory=list)
    prefix: bytes = b""
    """What stands before the elements: the number of unused bits of a BIT STRING."""

    def encoded(self) -> bytes:
        """The DER."""
        return der.element(self.tag, self.contents())

    def contents(self) -> bytes:
        """What is inside, encoded."""
        if self.children:
            return self.prefix + b"".join(child.encoded() for child in self.children)
        return self.content

    def all(self) -> list[Element]:
        """This element and all below it."""
        return [self, *(below for child in self.children for below in child.all())]


def examples(pki: SamplePki) -> list[Example]:
    """The good twins, many times over, and every defect that is no monster."""
    good = [Example(base, pki.good_bytes(base)) for base in Base]
    bad = [Example(defect.base, defect.make(pki)) for defect in DEFECTS]
    return good * 10 + [example for example in bad if len(example.encoded) < 10_000]


def mutated(pki: SamplePki, corpus: Sequence[Example], seed: str, number: int) -> Example:
    """The input of that number."""
    draw = random.Random(f"{seed}:{number}")
    example = draw.choice(corpus)
    content_bytes = (
        _bytes_changed(draw, example.encoded, corpus) if number % 2 else _structure_changed(draw, example, corpus, pki)
    )
    return Example(example.base, content_bytes)


def _bytes_changed(draw: random.Random, content_bytes: bytes, corpus: Sequence[Example]) -> bytes:
    changed = bytearray(content_bytes)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        at = draw.randrange(len(changed) + 1)
        to = min(len(changed), at + draw.choice((1, 1, 2, 8, 64)))
        match draw.randrange(8):
            case 0 if at < len(changed):
                changed[at] ^= 1 << draw.randrange(8)
            case 1 if at < len(changed):
                changed[at] = draw.choice(
                    (0, 1, 2, 3, 4, 5, 6, 0x17, 0x18, 0x1F, 0x30, 0x31, 0x7F, 0x80, 0x84, 0xA0, 0xFF)
                )
            case 2:
                changed[at:at] = draw.randbytes(draw.choice((1, 2, 8, 300)))
            case 3:
                del changed[at:to]
            case 4:
                changed[at:at] = changed[at:to] * draw.choice((1, 2, 100))
            case 5:
                other = draw.choice(corpus).encoded
                start = draw.randrange(len(other))
                changed[at:to] = other[start : start + draw.choice((1, 8, 64))]
            case 6:
                del changed[at:]
            case _:
                changed[at:to] = draw.randbytes(to - at)
        if not changed:
            changed += b"\x30"
    return bytes(changed)


def _structure_changed(draw: random.Random, example: Example, corpus: Sequence[Example], pki: SamplePki) -> bytes:
    try:
        root = _element(der.read(example.encoded), 0)
    except DerError:
        return _bytes_changed(draw, example.encoded, corpus)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        nodes = [node for node in root.all() if node.children or node.tag]
        node = draw.choice(nodes)
        draw.choice(_CHANGES)(draw, node, nodes, corpus)
    encoded = root.encoded()
    return _signed_again(root, example.base, pki) or encoded if draw.random() < 0.8 else encoded


def _element(node: Node, depth: int) -> Element:
    """The element to change; contents of OCTET STRINGs and BIT STRINGs that are DER are taken apart too."""
    if depth < 12:
        try:
            if node.tag & der.CONSTRUCTED:
                return Element(node.tag, node.content, [_element(child, depth + 1) for child in node.children()])
            if node.tag in SLOTS:
                prefix = node.content[:1] if node.tag == der.BIT_STRING else b""
                inner = der.read(node.data, node.body + len(prefix), node.end)
                if inner.end == node.end and inner.tag in (*SLOTS, der.SEQUENCE, der.INTEGER, der.BIT_STRING):
                    return Element(node.tag, node.content, [_element(inner, depth + 1)], prefix)
        except DerError:
            pass
    return Element(node.tag, node.content)


def _signed_again(root: Element, base: Base, pki: SamplePki) -> bytes | None:
    if len(root.children) != 3:
        return None
    body = root.children[0].encoded()
    signer = base if base.is_request else base.issuer
    key = pki.key((signer or base).value)
    return der.sequence(body, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(sign(key, body, ECDSA_WITH_SHA256_ALGORITHM)))


Change = Callable[[random.Random, Element, list[Element], Sequence[Example]], None]


def _other_content(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    node.children = []
    node.content = draw.choice((
        b"", b"\0", b"\xff", b"\x80", b"\x7f" + bytes(2000), b"\xff" * 65, bytes(64), b"\x81" * 300 + b"\x01",
        draw.randbytes(draw.choice((1, 8, 16, 20, 65, 1000))), "\u202eno\nRole\x1b[2J\0".encode(), b"\xed\xa0\x80",
        b"99991231235959Z", b"000230000000Z", b"500101000000Z", b"20500101000000Z", b"00000101000000Z", b"991231235960Z",
    ))  # fmt: skip


def _other_tag(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    node.tag = draw.choice(
        (*der.TAG_NAMES, 0x80, 0x81, 0x82, 0xA0, 0xA3, 0x1F, 0x24, 0x23, 0x00, 0xFF, draw.randrange(256))
    )


def _other_integer(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    numbers = [each for each in nodes if each.tag == der.INTEGER] or nodes
    chosen = draw.choice(numbers)
    chosen.children = []
    chosen.content = draw.choice((b"", b"\x7f" * 2001, b"\xff" * 2001, b"\0" * 30, b"\x01" * 64, b"\x01" * 65, b"\x80"))


def _leave_out(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    if node.children:
        del node.children[draw.randrange(len(node.children))]


def _repeat(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    if node.children:
        at = draw.randrange(len(node.children))
        child = node.children[at]
        # As bytes, not the element again: a later change to it would be made in every copy, and grow with each.
        whole = Element(child.tag, child.contents())
        copies = min(MAX_GROWTH // len(whole.encoded()), draw.choice((1, 2, 20, 70, 1000)))
        node.children[at:at] = [whole] * copies


def _shuffle(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    draw.shuffle(node.children)


def _graft(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    try:
        other = draw.choice(_element(der.read(draw.choice(corpus).encoded), 0).all())
    except DerError:
        return
    node.tag, node.content, node.children, node.prefix = other.tag, other.content, other.children, other.prefix


def _nest(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    content_bytes = node.encoded()
    for _ in range(draw.choice((1, 2, 70, 1200))):
        content_bytes = der.element(draw.choice((der.SEQUENCE, der.SET, 0xA0)), content_bytes)
    whole = der.read(content_bytes)
    node.tag, node.content, node.children = whole.tag, whole.content, []


def _insert(draw: random.Random, node: Element, nodes: list[Element], corpus: Sequence[Example]) -> None:
    new = Element(draw.choice((*der.TAG_NAMES, 0xA0, 0x80)))
    _other_content(draw, new, nodes, corpus)
    if node.children:
        node.children.insert(draw.randrange(len(node.children) + 1), new)


_CHANGES: tuple[Change, ...] = (
    _other_content,
    _other_content,
    _other_tag,
    _other_integer,
    _leave_out,
    _repeat,
    _shuffle,
    _graft,
    _nest,
    _insert,
)
