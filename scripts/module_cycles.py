#!/usr/bin/env python3
"""Finds cycles between the module files of each crate: `make lint` runs it.

A file depends on another where it names one of its items, in a `use` or in a path. Dependencies between a parent module
and its child are not counted, nor are those on items of the crate root: a parent may use its children, and a child the
items of its parent. What remains must have an order; a cycle means that two files cannot be understood one after the
other.

usage: scripts/module_cycles.py [CRATE FOLDER...]     without folders, all crates of the workspace

Exit code 1 where there is a cycle; each is printed with the edges that make it.

The sources are read with regular expressions, not with a parser: macros that make `mod` or `use` items are not seen, and a
`#[cfg(test)] mod tests` at the end of a file is left out.
"""

import re
import sys
from pathlib import Path

ITEM = r"(?:struct|enum|union|trait|fn|const|static|type|macro_rules!)"


def module_files(src):
    """The files of a crate by module path: `src/a/b.rs` is `("a", "b")`, the crate root is `()`."""
    files = {}
    for file in sorted(src.rglob("*.rs")):
        parts = list(file.relative_to(src).with_suffix("").parts)
        if parts[0] == "bin":
            continue
        if parts[-1] in ("mod", "lib", "main"):
            parts.pop()
        files[tuple(parts)] = file
    return files


def read_code(file):
    """The text of a file without comments and without its unit tests."""
    text = re.sub(r"//[^\n]*", "", file.read_text(encoding="utf-8"))
    return text.split("#[cfg(test)]\nmod tests {")[0]


def split_use_tree(tree):
    """The paths of a `use` tree: `a::{b, c::{d, e}}` gives `a::b`, `a::c::d` and `a::c::e`, each as a list."""
    tree = tree.strip()
    group = re.fullmatch(r"((?:\w+::)*)\{(.*)\}", tree, re.DOTALL)
    if not group:
        return [re.sub(r"\s+as\s+\w+$", "", tree).split("::")]
    prefix = [part for part in group[1].split("::") if part]
    paths, depth, branch = [], 0, ""
    for character in group[2] + ",":
        if character == "," and depth == 0:
            if branch.strip():
                paths += [prefix + path for path in split_use_tree(branch)]
            branch = ""
        else:
            depth += (character == "{") - (character == "}")
            branch += character
    return paths


def named_paths(code, module, files):
    """The paths that a module names and that start at `crate`, `super`, `self` or one of its children."""
    paths = []
    for use in re.finditer(r"\buse\s+((?:crate|super|self)\b[^;]*);", code):
        paths += split_use_tree(re.sub(r"\s*(::|[{},])\s*", r"\1", use[1]))
    paths += [path[1].split("::") for path in re.finditer(r"\b((?:crate|super)(?:::\w+)+)", code)]
    children = {name[-1] for name in files if name and name[:-1] == module}
    paths += [["self", path[1]] for path in re.finditer(r"(?<!::)\b(\w+)::\w+", code) if path[1] in children]
    return paths


def target_of(path, module, files, codes):
    """The module whose file defines what `path`, written in `module`, names."""
    base, rest = list(module), list(path)
    while rest and rest[0] in ("crate", "self", "super"):
        base = {"crate": [], "self": base, "super": base[:-1]}[rest.pop(0)]
    while rest and tuple(base + rest[:1]) in files:
        base.append(rest.pop(0))
    target = tuple(base)
    if rest and rest[0] != "*":
        # An item that the module re-exports is one of the child that defines it.
        definition = re.compile(rf"^(?:pub(?:\([^)]*\))? )?(?:unsafe )?{ITEM} {re.escape(rest[0])}\b", re.MULTILINE)
        own = definition.search(codes[target]) if target in codes else None
        children = (name for name in files if name and name[:-1] == target and definition.search(codes[name]))
        return target if own else next(children, target)
    return target


def dependencies(files):
    """The modules that each module depends on, without parents, children and the crate root."""
    codes = {module: read_code(file) for module, file in files.items()}
    graph = {}
    for module in files:
        targets = {target_of(path, module, files, codes) for path in named_paths(codes[module], module, files)}
        graph[module] = {
            target for target in targets
            if target in files and target not in ((), module, module[:-1]) and target[:-1] != module
        }
    return graph


def strongly_connected(graph):
    """The cycles of a graph: its strongly connected components of more than one node (Tarjan's algorithm)."""
    index, low, stack, components = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph[node]:
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            start = stack.index(node)
            component = stack[start:]
            del stack[start:]
            if len(component) > 1:
                components.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return components


def main():
    """Checks the crates named on the command line, or all of the workspace."""
    root = Path(__file__).resolve().parent.parent
    manifests = [*root.glob("crates/*/Cargo.toml"), *root.glob("plugins/*/Cargo.toml"), root / "cli/Cargo.toml",
                 root / "tests/Cargo.toml"]
    crates = [Path(folder) for folder in sys.argv[1:]] or [manifest.parent for manifest in sorted(manifests)]
    count = 0
    for crate in crates:
        graph = dependencies(module_files(crate / "src"))
        for cycle in strongly_connected(graph):
            count += 1
            print(f"{crate}: a cycle of {len(cycle)} files", file=sys.stderr)
            for module in cycle:
                targets = sorted("::".join(target) for target in graph[module] if target in cycle)
                print(f"    {'::'.join(module)} -> {', '.join(targets)}", file=sys.stderr)
    if count:
        print(f"module_cycles: {count} cycle(s)", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
