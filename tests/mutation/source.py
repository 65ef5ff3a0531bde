"""Makes the mutants of a file: every change that mutmut's operators make, one at a time.

Left out, because a survivor among them would say nothing: imports, annotations, decorators, docstrings, ``__all__``,
and the wording of messages, which is any string with a space in it. A string without one is changed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

from tests.mutation.packages import PROJECT

_LEFT_OUT = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.TypeAlias)
_NO_ARGUMENT_CHANGES = frozenset({"isinstance", "len", "cast", "TypeVar", "NewType"})
"""Calls that raise whatever their arguments are changed to, or do nothing with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one file. The first four fields identify it, whatever else in the file moves."""

    file: str
    """Relative to the project, with slashes."""
    scope: str
    """The function or class, by its qualified name, or the name that is assigned to."""
    diff: str
    """The lines that change, first those removed (``-``), then those added (``+``)."""
    occurrence: int
    """1 for the first of those mutants of the scope that have the same diff, and so on."""
    line: int
    in_function: bool
    """Whether the change is in the body of a function, so that it takes effect without importing again."""
    first: int
    """First line of the body of the outermost function, or of the statement that changes."""
    last: int
    source: str
    """The whole file with the change."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What identifies it."""
        return self.file, self.scope, self.diff, self.occurrence


def mutants_of(path: Path, project: Path = PROJECT) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    text = path.read_text()
    name = path.relative_to(project).as_posix()
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = _Visitor(text)
    wrapper.visit(visitor)
    seen: Counter[tuple[str, str]] = Counter()
    made: list[Mutant] = []
    for place, source in visitor.found:
        if source == text or not _compiles(source):
            continue
        diff = changed_lines(text, source)
        seen[place.scope, diff] += 1
        made.append(
            Mutant(
                file=name,
                scope=place.scope,
                diff=diff,
                occurrence=seen[place.scope, diff],
                line=place.line,
                in_function=place.in_function,
                first=place.first,
                last=place.last,
                source=source,
            )
        )
    return made


def unchanged(path: Path, project: Path = PROJECT) -> Mutant:
    """A mutant without a change, which no test may kill."""
    return Mutant(
        file=path.relative_to(project).as_posix(), scope="", diff="", occurrence=1, line=1, in_function=False, first=1,
        last=1, source=path.read_text(),
    )  # fmt: skip


def changed_lines(before: str, after: str) -> str:
    """The lines removed, each after ``-``, and those added, each after ``+``, without their indentation."""
    old, new = before.splitlines(), after.splitlines()
    shorter = min(len(old), len(new))
    start = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    end = next((index for index in range(shorter - start) if old[-1 - index] != new[-1 - index]), shorter - start)
    removed, added = old[start : len(old) - end], new[start : len(new) - end]
    return "\n".join([*(f"-{line.strip()}" for line in removed), *(f"+{line.strip()}" for line in added)])


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    scope: str
    in_function: bool
    line: int
    first: int
    last: int


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, text: str) -> None:
        super().__init__()
        self._module = cst.Module([])
        self._text = text
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.found: list[tuple[_Place, str]] = []

    def visit_Module(self, node: cst.Module) -> None:
        self._module = node

    def on_visit(self, node: cst.CSTNode) -> bool:
        if self._left_out(node):
            return False
        if isinstance(node, cst.Module):
            self.visit_Module(node)
            return True
        for changed in _changes(node):
            source = self._with(node, changed)
            self.found.append((self._place(node), source))
        return True

    def _left_out(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Expr):
            return isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)
        if isinstance(node, cst.Assign):
            target = node.targets[0].target
            return isinstance(target, cst.Name) and target.value == "__all__"
        return isinstance(node, _LEFT_OUT)

    def _with(self, old: cst.CSTNode, new: cst.CSTNode) -> str:
        """The text with *new* in the place of *old*."""
        position = self.get_metadata(PositionProvider, old)
        start = self._starts[position.start.line - 1] + position.start.column
        end = self._starts[position.end.line - 1] + position.end.column
        was = self._text[start:end]
        written, replacement = self._module.code_for_node(old), self._module.code_for_node(new)
        if written == was:
            return self._text[:start] + replacement + self._text[end:]
        if written.strip() == was:
            return self._text[:start] + replacement.strip() + self._text[end:]
        # In parentheses, or over several lines with indentation: the slow way, which is always right.
        changed = self._module.deep_replace(old, new)
        assert isinstance(changed, cst.Module)
        return changed.code

    def _place(self, node: cst.CSTNode) -> _Place:
        line = self.get_metadata(PositionProvider, node).start.line
        names: list[str] = []
        function: cst.FunctionDef | None = None
        statement, below = node, node
        for parent in self._upwards(node):
            if isinstance(parent, cst.FunctionDef | cst.ClassDef):
                names.insert(0, parent.name.value)
                if isinstance(parent, cst.FunctionDef):
                    # Defaults of parameters are evaluated where the function is defined.
                    function = parent if below is parent.body else None
            elif isinstance(parent, cst.BaseSmallStatement | cst.BaseCompoundStatement) and not names:
                statement = parent
            below = parent
        if not names:
            names = [_assigned(statement)]
        first = self.get_metadata(PositionProvider, function.body.body[0] if function else statement).start.line
        last = self.get_metadata(PositionProvider, function or statement).end.line
        return _Place(scope=".".join(names), in_function=function is not None, line=line, first=first, last=last)

    def _upwards(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while not isinstance(node, cst.Module):
            yield node
            node = self.get_metadata(ParentNodeProvider, node)


def _assigned(statement: cst.CSTNode) -> str:
    """The name that a statement at module level assigns to."""
    target: cst.CSTNode | None = None
    if isinstance(statement, cst.AnnAssign):
        target = statement.target
    elif isinstance(statement, cst.Assign):
        target = statement.targets[0].target
    return target.value if isinstance(target, cst.Name) else "module"


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.SimpleString) and (" " in node.value or node.quote in {'"""', "'''"}):
        return
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _NO_ARGUMENT_CHANGES:
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            for changed in operator(node):
                yield changed
                if isinstance(node, cst.SimpleString):
                    break
