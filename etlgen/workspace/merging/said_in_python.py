"""What a Python file says twice and no linter sees: `Column("vat", …)` twice in one `Table`."""

import ast
import warnings
from collections.abc import Iterable, Iterator
from itertools import pairwise

from etlgen.workspace.merging.said import Said, Unreadable

_BLOCKS = ("body", "orelse", "finalbody")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Entries = Iterable[tuple[str, ast.AST]]


def said_in_python(text: str) -> list[Said]:
    """What each block, dict, list and call says."""
    try:
        return _said(_parsed(text))
    except RecursionError as error:
        raise Unreadable("nested too deeply", []) from error


def _said(tree: ast.Module) -> list[Said]:
    todo: list[tuple[ast.AST, tuple[str, ...]]] = [(tree, ())]
    said: list[Said] = []
    containers = 0
    while todo:
        node, scope = todo.pop()
        for where, entries in _containers(node):
            containers += 1
            said += [
                Said((*scope, where), containers, what, where, _lines(part))
                for what, part in entries
            ]
        for child in ast.iter_child_nodes(node):
            label = _label(child)
            todo.append((child, (*scope, label) if label else scope))
    return said


def _parsed(text: str) -> ast.Module:
    """Compiled too: only that finds a keyword or a parameter that is there twice."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            compile(text, "<merged>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Unreadable(error.msg, [error.lineno or 1]) from error
    except (ValueError, MemoryError) as error:
        raise Unreadable(str(error), []) from error
    return tree


def _containers(node: ast.AST) -> Iterator[tuple[str, _Entries]]:
    for field in _BLOCKS:
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield _block_name(node, field), _statements(block)
    if isinstance(node, ast.Dict):
        yield "one dict", [(f"the key {_code(key)}", key) for key in node.keys if key]
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        yield "one list", _elements(node.elts)
    elif isinstance(node, ast.Call):
        telling = [part for part in node.args if isinstance(part, ast.Starred) or _call(part)]
        yield f"one call of {_code(node.func)}", _elements(telling)


def _block_name(node: ast.AST, field: str) -> str:
    if isinstance(node, ast.Module):
        return "this file"
    return node.name if isinstance(node, _DEFINITIONS) else f"one {field} of a statement"


def _elements(parts: Iterable[ast.expr]) -> _Entries:
    """What should not be twice in a list; a number may."""
    for part in parts:
        if not isinstance(part, ast.Constant) or isinstance(part.value, str):
            yield _call(part) or _code(part), part


def _statements(block: list[ast.stmt]) -> _Entries:
    silent = []
    for statement in block:
        said = [(what, statement) for what in _said_by(statement)]
        yield from said
        if not said:
            silent.append(statement)
    for one, other in pairwise(block):
        if one in silent and ast.dump(one) == ast.dump(other):
            # As a pair, for one of a kind is no repetition.
            yield from ((f"{_code(part)} in a row", part) for part in (one, other))


def _said_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, _DEFINITIONS):
        kind = "class" if isinstance(statement, ast.ClassDef) else "def"
        yield f"{kind} {statement.name}"
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (f"the import of {name.asname or name.name}" for name in statement.names)
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (f"{_code(target)} = …" for target in targets if _is_telling(target, statement))
    elif isinstance(statement, ast.Expr) and (call := _call(statement.value)):
        yield call


def _is_telling(target: ast.expr, statement: ast.Assign | ast.AnnAssign) -> bool:
    """`rows = rows.dropna()` goes on from what was said before."""
    if isinstance(target, ast.Subscript):
        return isinstance(target.slice, ast.Constant)
    if not isinstance(target, ast.Name) or statement.value is None:
        return isinstance(target, ast.Name)
    used = (node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name))
    return target.id not in used


def _call(node: ast.expr) -> str:
    """The function and the strings that its arguments begin with; nothing if there are none."""
    if not isinstance(node, ast.Call):
        return ""
    strings = []
    for part in node.args:
        if not (isinstance(part, ast.Constant) and isinstance(part.value, str)):
            break
        strings.append(repr(part.value))
    return f"{_code(node.func)}({', '.join(strings)}, …)" if strings else ""


def _label(node: ast.AST) -> str:
    """What tells this node from its siblings and does not depend on how many there are."""
    if isinstance(node, _DEFINITIONS):
        return node.name
    if isinstance(node, ast.Assign):
        return _code(node.targets[0])
    if isinstance(node, ast.Call):
        return _code(node.func)
    return (node.arg or "") if isinstance(node, ast.keyword) else ""


def _lines(node: ast.AST) -> range:
    """Of a definition only its head, for the rest of it may be the team's."""
    first: int = getattr(node, "lineno", 1)
    last: int = first if isinstance(node, _DEFINITIONS) else getattr(node, "end_lineno", first)
    return range(first, last + 1)


def _code(node: ast.AST) -> str:
    return ast.unparse(node)
