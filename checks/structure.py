"""Fails if two files import each other, directly or through others, if two classes have the same name, or if a file is long.

Run it with ``python -m checks.structure``.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

PACKAGES = {"smki": Path("smki"), "smki_repository": Path("repository/smki_repository")}
"""The packages and where their source is."""

MAX_LINES = 400


def import_cycle() -> list[str]:
    """Return the modules of a cycle of imports, in its order; empty where there is none.

    Imports inside functions and for type checking count like all others.
    """
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def repeated_classes() -> dict[str, list[str]]:
    """Return the names that several public classes have, with their files."""
    files = defaultdict(list)
    for folder in PACKAGES.values():
        for file in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    files[node.name].append(str(file))
    return {name: found for name, found in files.items() if len(found) > 1}


def long_files() -> dict[str, int]:
    """Return the files of more than MAX_LINES lines, with their numbers of lines."""
    files = [file for folder in PACKAGES.values() for file in sorted(folder.rglob("*.py"))]
    lines = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    return {file: count for file, count in lines.items() if count > MAX_LINES}


def main() -> int:
    """Print what is wrong; return the exit status."""
    complaints = [f"{name}: {', '.join(found)}: two classes of one name" for name, found in repeated_classes().items()]
    complaints += [f"{file}: {count} lines; split it" for file, count in long_files().items()]
    cycle = import_cycle()
    if cycle:
        complaints.append(f"import cycle: {' -> '.join(cycle)}")
    print("\n".join(complaints) or "No import cycle, no two classes of one name, no file of more than 400 lines.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
