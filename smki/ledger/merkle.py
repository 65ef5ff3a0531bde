"""The Merkle tree of RFC 6962 section 2.1, over hashes of leaves, with SHA-256.

Names follow the RFC: MTH is the hash of a tree, PATH(m, D[n]) the audit path of a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""MTH of an empty list."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf, MTH({d(0)})."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from the hashes of its children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """A tree that leaves are appended to. It keeps only the roots of its complete subtrees, one for each bit of its size.

    :param size: the number of leaves that it begins with.
    :param roots: the roots of its complete subtrees, largest first (:attr:`roots` of a tree of that size).
    :raises ValueError: if that is not their number.
    """

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self._size = size
        self._roots = list(roots)
        if size < 0 or len(self._roots) != size.bit_count() or any(len(root) != HASH_BYTES for root in self._roots):
            raise ValueError(f"{len(self._roots)} roots for {size} leaves")

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, largest first."""
        return tuple(self._roots)

    def append(self, leaf: bytes) -> None:
        """Append a leaf.

        :param leaf: its hash.
        """
        roots, size = self._roots, self._size
        while size & 1:
            leaf = node_hash(roots.pop(), leaf)
            size >>= 1
        roots.append(leaf)
        self._size += 1

    def root(self) -> bytes:
        """Return the hash of the tree."""
        if not self._roots:
            return EMPTY
        *rest, root = self._roots
        for left in reversed(rest):
            root = node_hash(left, root)
        return root


def tree_hash(leaves: Iterable[bytes]) -> bytes:
    """Return the hash of the tree over the hashes of its leaves."""
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def _level_above(level: list[bytes]) -> list[bytes]:
    # A last node without a sibling moves up as it is.
    paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return paired + level[len(level) & ~1 :]


def audit_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return PATH(m, D[n]): what is hashed with a leaf to give the hash of the tree, from the leaf upwards.

    :param index: the number of the leaf, from 0.
    :param leaves: the hashes of all leaves.
    :raises IndexError: if there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path, level = [], list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level = _level_above(level)
        index >>= 1
    return path


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the hash of the tree of a size that an audit path leads to (RFC 9162 2.1.3.2); None if it has another length.

    :param leaf: the hash of the leaf.
    :param index: the number of the leaf, from 0.
    """
    if not 0 <= index < size:
        return None
    last, root = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = node_hash(sibling, root)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        index >>= 1
        last >>= 1
    return root if last == 0 else None
