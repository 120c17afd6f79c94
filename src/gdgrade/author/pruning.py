"""Cuts graders down to their public checks and to what these need: what a student's package may hold."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gdgrade.sourcecode import python_tree

CALIBRATION = ("version", "calibrations")  # keys that gdgrade.compare.calibration reads, so that no check names them


@dataclass
class Module:
    """One file of the graders: its top-level definitions by name, and where imported names come from."""

    path: Path
    source: str
    tree: ast.Module
    nodes: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # local name -> (module, name there)
    kept: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Names:
    """The checks of an exercise as pytest collects them: "stem/name" -> the class it is a method of, else "".

    No syntax tells whether a check is hidden: `hidden_check = functools.partial(check, visibility="hidden")`.
    """

    public: Mapping[str, str]
    hidden: Mapping[str, str]


def not_to_be_cut_out(graders: Path, names: Names) -> dict[str, str]:
    """Public checks that cannot stand alone in a package, and why; of "plots", the figures."""
    modules = {path.stem: _read(path) for path in sorted(graders.glob("*.py"))}
    hidden = {(_stem(short), class_ or _function(short)): short for short, class_ in names.hidden.items()}
    found = {}
    for short, class_ in names.public.items():
        if class_:
            found[short] = f"it is a method of {class_}, and only functions can be cut out: make it one"
        elif _stem(short) not in modules or _function(short) not in modules[_stem(short)].nodes:
            found[short] = f"{_stem(short)}.py does not define {_function(short)} at its top level"
    for short in (*names.public, *(["plots"] if "plots" in modules else [])):
        reached = {(stem, name) for stem, kept in used_by(graders, short).items() for name in kept}
        if short not in found and reached & hidden.keys():
            found[short] = f"it uses the hidden check {min(hidden[key] for key in reached & hidden.keys())}"
    return found


def prune(graders: Path, keep: Collection[str]) -> dict[str, str]:
    """The files of a package's graders folder: name -> text.

    Args:
        graders: the folder of one exercise.
        keep: the checks that go into the package, as "stem/name"; "plots" is for the figures.

    Returns:
        Test files that still hold a check, helper modules and JSON files they need. Binary files are left out.
    """
    modules = {path.stem: _read(path) for path in sorted(graders.glob("*.py"))}
    for short in keep:
        _keep_check(modules, short)
    files = {f"{stem}.py": _text(module) for stem, module in modules.items() if module.kept}
    return files | _json_files(graders, files)


def used_by(graders: Path, short: str) -> dict[str, set[str]]:
    """Module -> names of definitions that one check reaches, its own included; of "plots", those of the figures."""
    modules = {path.stem: _read(path) for path in sorted(graders.glob("*.py"))}
    _keep_check(modules, short)
    return {stem: module.kept for stem, module in modules.items() if module.kept}


def _keep_check(modules: Mapping[str, Module], short: str) -> None:
    stem, name = ("plots", "figures") if short == "plots" else (_stem(short), _function(short))
    if stem in modules:
        _keep(modules, stem, name)


def _stem(short: str) -> str:
    return f"test_{short.partition('/')[0]}"


def _function(short: str) -> str:
    return f"test_{short.partition('/')[2].partition('[')[0]}"


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
                kept = {key: value for key, value in data.items() if key in texts}
                data = {key: value for key, value in data.items() if key in CALIBRATION} | kept if kept else data
            found[path.name] = json.dumps(data, indent=1) + "\n"
    return found
