"""Cuts graders down to their public checks and to what these need: what a student's package may hold."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gdgrade.sourcecode import python_tree


@dataclass
class Module:
    """One file of the graders: its top-level definitions by name, and where imported names come from."""

    path: Path
    source: str
    tree: ast.Module
    nodes: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # local name -> (module, name there)
    kept: set[str] = field(default_factory=set)


def public_checks(source: str) -> list[str]:
    """Names of the check functions of a file that are not marked hidden.

    Raises:
        SyntaxError: the file is not Python.
    """
    return [
        node.name
        for node in python_tree(source).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _hidden(node)
    ]


def prune(graders: Path, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """The files of a package's graders folder: name -> text.

    Args:
        graders: the folder of one exercise.
        without: public checks, as "stem/name", that must be left out as well; "plots" leaves the figures out.

    Returns:
        Test files that still hold a check, helper modules and JSON files they need. Binary files are left out.
    """
    modules = {path.stem: _read(path) for path in sorted(graders.glob("*.py"))}
    for stem, module in modules.items():
        if stem.startswith("test_"):
            for name in public_checks(module.source):
                if f"{stem.removeprefix('test_')}/{name.removeprefix('test_')}" not in without:
                    _keep(modules, stem, name)
    if "plots" in modules and "plots" not in without:
        _keep(modules, "plots", "figures")
    files = {f"{stem}.py": _text(module) for stem, module in modules.items() if module.kept}
    return files | _json_files(graders, files)


def used_by(graders: Path, short: str) -> dict[str, set[str]]:
    """Module -> names of definitions that one check reaches, its own included; of "plots", those of the figures."""
    modules = {path.stem: _read(path) for path in sorted(graders.glob("*.py"))}
    stem, _, name = short.partition("/")
    if short == "plots":
        _keep(modules, "plots", "figures")
    else:
        _keep(modules, f"test_{stem}", f"test_{name.split('[')[0]}")
    return {stem: module.kept for stem, module in modules.items() if module.kept}


def _read(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    module = Module(path, source, python_tree(source))
    for node in module.tree.body:
        for name in defined(node):
            module.nodes[name] = node
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.imports[(alias.asname or alias.name).split(".")[0]] = (alias.name, "")
    return module


def _keep(modules: Mapping[str, Module], stem: str, name: str) -> None:
    """Mark a definition and, in turn, everything that it names."""
    module = modules[stem]
    if name in module.kept or name not in module.nodes:
        return
    module.kept.add(name)
    node = module.nodes[name]
    module.kept.update(other for other in defined(node))
    for used in _named(node):
        if used in module.imports:
            origin, there = module.imports[used]
            if origin in modules:
                wanted = [there] if there else list(modules[origin].nodes)  # `import helper`: all of it
                for item in wanted:
                    _keep(modules, origin, item)
        else:
            _keep(modules, stem, used)


def _text(module: Module) -> str:
    """Docstring, imports that are used, and the kept definitions with their decorators; nothing between them."""
    lines = module.source.splitlines()
    used = {name for kept in module.kept for name in _named(module.nodes[kept])}
    pieces, seen = [], set()
    for node in module.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a for a in node.names if (a.asname or a.name).split(".")[0] in used]
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            if names or future:
                pieces.append(ast.unparse(ast.copy_location(_import(node, node.names if future else names), node)))
        elif node is module.tree.body[0] and isinstance(node, ast.Expr):
            pieces.append(_segment(lines, node) + "\n")
        elif any(name in module.kept for name in defined(node)) and id(node) not in seen:
            seen.add(id(node))
            gap = "\n\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) else "\n"
            pieces.append(gap + _segment(lines, node))
    return "\n".join(pieces) + "\n"


def _import(node: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> ast.stmt:
    if isinstance(node, ast.ImportFrom):
        return ast.ImportFrom(node.module, names, node.level)
    return ast.Import(names)


def _segment(lines: list[str], node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(lines[first - 1 : node.end_lineno])


def defined(node: ast.stmt) -> Iterator[str]:
    """Names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        for inner in ast.walk(target) if target is not None else ():
            if isinstance(inner, ast.Name):
                yield inner.id


def _named(node: ast.AST) -> set[str]:
    """Every name that is read in a definition; fixtures count where a function of that name exists."""
    found = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return found | {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}


def _hidden(node: ast.FunctionDef) -> bool:
    for decorator in node.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
            if keyword.arg == "visibility":
                return not (isinstance(keyword.value, ast.Constant) and keyword.value.value == "public")
    return False


def _json_files(graders: Path, files: Mapping[str, str]) -> dict[str, str]:
    """JSON files that the kept code names, with those top-level keys only that it names as well."""
    texts = [
        node.value
        for text in files.values()
        for node in ast.walk(python_tree(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    found = {}
    for path in sorted(graders.glob("*.json")):
        if any(path.name in text for text in texts):
            data = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(data, dict):
                # A table that is read as a whole has keys that no line names.
                data = {key: value for key, value in data.items() if key in texts} or data
            found[path.name] = json.dumps(data, indent=1) + "\n"
    return found
