"""Files change whole or not at all, and what is no file is left as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from smki.file import new_directory, replace_file, replacing


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """As /dev/null and /dev/stdout have to: a file in their place would take them away from everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    with replacing(pipe) as file:
        file.write(b"certificates")
    reader.join(10)
    assert read == [b"certificates"]
    assert pipe.is_fifo()


def test_standard_output_by_its_path_is_standard_output() -> None:
    write = "from pathlib import Path; from smki.file import replacing\nwith replacing(Path('/dev/stdout')) as f: f.write(b'x')"
    result = subprocess.run([sys.executable, "-c", write], capture_output=True, check=True)
    assert result.stdout == b"x"


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("target", ["file", "nothing", "pipe"])
def test_a_private_key_is_not_written_through_a_link(tmp_path: Path, target: str) -> None:
    """It could lead to where others read it."""
    link, elsewhere = tmp_path / "supplier.key", tmp_path / "elsewhere"
    if target == "file":
        elsewhere.write_bytes(b"old")
    if target == "pipe":
        os.mkfifo(elsewhere)
    link.symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link") as error:
        replace_file(link, b"key", follow_links=False)
    assert error.value.filename == str(link)
    assert link.is_symlink()
    assert target != "file" or elsewhere.read_bytes() == b"old"
    assert elsewhere.exists() is (target != "nothing")


def test_a_link_laid_while_a_private_key_is_written_is_replaced(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "supplier.key", tmp_path / "elsewhere"
    elsewhere.write_bytes(b"old")
    with replacing(path, follow_links=False) as file:
        file.write(b"key")
        path.symlink_to(elsewhere)
    assert (path.is_symlink(), path.read_bytes(), elsewhere.read_bytes()) == (False, b"key", b"old")


def test_an_error_names_what_was_to_be_written(tmp_path: Path) -> None:
    """And not the file beside it that nobody has heard of."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(IsADirectoryError) as error, replacing(folder):
        pass
    assert error.value.filename == str(folder)
    missing = tmp_path / "none" / "file"
    with pytest.raises(FileNotFoundError) as not_found:
        replace_file(missing, b"")
    assert not_found.value.filename == str(missing)
    with pytest.raises(FileNotFoundError) as not_found, new_directory(missing):
        pass
    assert not_found.value.filename == str(missing)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
def test_a_full_device_is_named() -> None:
    with pytest.raises(OSError, match="No space left") as error, replacing(Path("/dev/full")) as file:
        file.write(b"x")
    assert error.value.filename == "/dev/full"
    assert Path("/dev/full").is_char_device()
