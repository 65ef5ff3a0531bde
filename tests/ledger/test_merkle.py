"""The Merkle tree does what RFC 6962 section 2.1 says, which is written down here once more, as it stands there."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki.ledger.merkle import EMPTY, GrowingTree, audit_path, leaf_hash, root_of_path, tree_hash


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(size: int) -> int:
    """The largest power of two smaller than n."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(data: list[bytes]) -> bytes:
    """2.1: MTH(D[n])."""
    if not data:
        return sha256(b"")
    if len(data) == 1:
        return sha256(b"\x00" + data[0])
    k = split(len(data))
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:]))


def path(m: int, data: list[bytes]) -> list[bytes]:
    """2.1.1: PATH(m, D[n])."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


LEAVES = st.lists(st.binary(max_size=8), max_size=70)


@given(LEAVES)
def test_the_hash_of_a_tree(data: list[bytes]) -> None:
    hashes = [leaf_hash(each) for each in data]
    tree = GrowingTree()
    for number, each in enumerate(hashes, 1):
        tree.append(each)
        assert (tree.size, tree.root()) == (number, mth(data[:number]))
    assert tree_hash(hashes) == tree.root() == mth(data)


@given(LEAVES, st.integers(0, 70))
def test_a_tree_that_was_put_away_grows_on(data: list[bytes], size: int) -> None:
    hashes = [leaf_hash(each) for each in data]
    first = GrowingTree()
    for each in hashes[:size]:
        first.append(each)
    second = GrowingTree(first.size, first.roots)
    for each in hashes[size:]:
        second.append(each)
    assert second.root() == mth(data)


@given(LEAVES.filter(bool), st.data())
def test_audit_paths(data: list[bytes], draw: st.DataObject) -> None:
    hashes = [leaf_hash(each) for each in data]
    index = draw.draw(st.integers(0, len(data) - 1))
    found = audit_path(index, hashes)
    assert found == path(index, data)
    assert root_of_path(hashes[index], index, len(data), found) == mth(data)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_audit_path_of_a_small_tree(size: int) -> None:
    data = [bytes((number,)) for number in range(size)]
    hashes = [leaf_hash(each) for each in data]
    root = mth(data)
    for index in range(size):
        found = audit_path(index, hashes)
        assert found == path(index, data)
        assert root_of_path(hashes[index], index, size, found) == root


@given(LEAVES.filter(lambda data: len(data) > 1), st.data())
def test_a_path_that_is_another_leads_elsewhere(data: list[bytes], draw: st.DataObject) -> None:
    hashes = [leaf_hash(bytes([number]) + each) for number, each in enumerate(data)]
    root = tree_hash(hashes)
    index = draw.draw(st.integers(0, len(data) - 1))
    other = draw.draw(st.integers(0, len(data) - 1).filter(lambda other: other != index))
    found = audit_path(index, hashes)
    assert root_of_path(hashes[other], index, len(data), found) != root
    assert root_of_path(hashes[index], other, len(data), found) != root
    assert root_of_path(hashes[index], index, len(data), found[:-1]) != root
    assert root_of_path(hashes[index], index, len(data), [*found, EMPTY]) != root
    changed = bytes([found[0][0] ^ 1]) + found[0][1:]
    assert root_of_path(hashes[index], index, len(data), [changed, *found[1:]]) != root


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_no_such_leaf(index: int, size: int) -> None:
    assert root_of_path(EMPTY, index, size, []) is None
    with pytest.raises(IndexError, match=f"^{index}$"):
        audit_path(index, [EMPTY] * size)


@pytest.mark.parametrize(("size", "roots"), [(1, []), (2, [EMPTY, EMPTY]), (-1, []), (1, [b"short"])])
def test_roots_of_no_tree(size: int, roots: list[bytes]) -> None:
    with pytest.raises(ValueError, match="roots for"):
        GrowingTree(size, roots)
