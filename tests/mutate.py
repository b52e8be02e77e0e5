"""Small wrong edits of a piece of Python, one at a time."""

import ast
from collections.abc import Iterator
from functools import partial

# What a call is confused with, by name.
CALLS = {
    "sum": "mean prod", "mean": "sum", "max": "min", "min": "max",
    "amax": "amin", "argmax": "argmin", "any": "all", "all": "any",
    "std": "var", "var": "std", "tril": "triu", "triu": "tril",
    "softmax": "log_softmax sigmoid", "zeros": "ones", "ones": "zeros",
    "randn": "rand", "cat": "stack", "stack": "cat", "cos": "sin",
    "sin": "cos", "flatten": "squeeze", "unsqueeze": "squeeze",
    "cumsum": "cumprod", "relu": "abs", "append": "extend",
}  # fmt: skip
OPERATORS = {
    "Add": "Sub Mult", "Sub": "Add", "Mult": "Div Add MatMult",
    "Div": "Mult FloorDiv", "MatMult": "Mult", "Pow": "Mult",
    "FloorDiv": "Div Mult", "Mod": "FloorDiv", "BitAnd": "BitOr",
    "BitOr": "BitAnd", "Lt": "LtE Gt", "LtE": "Lt", "Gt": "GtE Lt",
    "GtE": "Gt", "Eq": "NotEq", "NotEq": "Eq", "In": "NotIn", "NotIn": "In",
    "Is": "IsNot", "IsNot": "Is", "And": "Or", "Or": "And",
}  # fmt: skip
Edits = Iterator[tuple[str, ast.AST]]


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """What was edited, and the edited source, one by one."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    names = set(_names(tree)) - {"self"}
    for parent in _code(tree):
        for field, value in list(ast.iter_fields(parent)):
            many = isinstance(value, list)
            for i, node in enumerate(value if many else [value]):
                if parent is tree and isinstance(node, ast.Assign):
                    continue  # an answer that is a value
                put = partial(setattr, parent, field)
                if many:
                    put = partial(value.__setitem__, i)
                for what, new in _edits(node, names):
                    put(new)
                    text = ast.unparse(ast.fix_missing_locations(tree))
                    put(node)
                    if text not in seen:
                        seen.add(text)
                        line = getattr(node, "lineno", None)
                        yield f"line {line or parent.lineno}: {what}", text


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, without the messages of exceptions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.JoinedStr):
            yield from _code(child)


def _names(tree: ast.AST) -> Iterator[str]:
    """The names of arguments and of what is assigned."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        for target in getattr(node, "targets", []):
            for part in getattr(target, "elts", [target]):
                if isinstance(part, ast.Name):
                    yield part.id


def _but(node: ast.AST, **changed) -> ast.AST:
    """A copy of a node with other fields."""
    fields = {name: getattr(node, name, None) for name in node._fields}
    return type(node)(**fields | changed)


def _fewer(node: ast.AST, field: str, least: int = 1) -> Edits:
    """Without one of a node's items, or with two neighbours swapped."""
    items = getattr(node, field)
    for i in range(len(items) if len(items) > least else 0):
        yield (
            f"{field}[{i}] dropped",
            _but(node, **{field: items[:i] + items[i + 1 :]}),
        )
    for i in range(len(items) - 1):
        swapped = [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
        yield (
            f"{field}[{i}] and the next swapped",
            _but(node, **{field: swapped}),
        )


def _edits(node: ast.AST, names: set[str]) -> Edits:
    """What is done to a node, and the node that takes its place."""
    kind = type(node).__name__
    for other in OPERATORS.get(kind, "").split():
        yield f"{kind} -> {other}", getattr(ast, other)()
    match node:
        case ast.BinOp():
            yield "left operand alone", node.left
            yield "right operand alone", node.right
            if not isinstance(node.op, (ast.Add, ast.Mult)):
                yield "swapped", _but(node, left=node.right, right=node.left)
        case ast.UnaryOp() if not isinstance(node.operand, ast.Constant):
            yield "sign dropped", node.operand
        case ast.Constant():
            for value in _constants(node.value):
                yield f"{node.value!r} -> {value!r}", ast.Constant(value)
        case ast.If() | ast.IfExp():
            for test in ("True", "False", f"not ({ast.unparse(node.test)})"):
                yield (
                    f"if {test}",
                    _but(node, test=ast.parse(test).body[0].value),
                )
        case ast.Call():
            yield from _calls(node)
        case ast.Attribute(attr="T" | "mT"):
            yield "transpose dropped", node.value
        case ast.Subscript(ctx=ast.Load()):
            yield "index dropped", node.value
        case ast.Slice():
            for part in ("lower", "upper", "step"):
                yield f"{part} dropped", _but(node, **{part: None})
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()):
            yield from _fewer(node, "elts")
        case ast.AugAssign():
            yield "assigned", ast.Assign([node.target], node.value)
        case ast.Assign() | ast.Raise() | ast.Expr(value=ast.Call()):
            yield "dropped", ast.Pass()
        case ast.With():
            yield "dropped", ast.If(ast.Constant(True), node.body, [])
        case ast.FunctionDef(body=[*body, ast.Return() as last]):
            for loop in body:
                if isinstance(loop, (ast.For, ast.While)):
                    inside = _but(loop, body=[*loop.body, last])
                    new = [inside if x is loop else x for x in node.body]
                    yield "return inside the loop", _but(node, body=new)
            for arg in node.args.args:
                given = ast.Return(ast.Name(arg.arg, ast.Load()))
                yield f"returns {arg.arg}", _but(node, body=[*body, given])
        case ast.Name(ctx=ast.Load()) if node.id in names:
            for name in sorted(names - {node.id}):
                yield f"{node.id} -> {name}", _but(node, id=name)


def _constants(value: object) -> list:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, value - 1, *([-value] if value else [])]
        case float():
            return [0.0, 2 * value, -value]
        case str() if "->" in value:
            left, right = value.split("->")
            words = [left, f"{left}->{right[::-1]}", f"{left}->{right[:-1]}",
                     f"{left}->{right[1:]}"]  # fmt: skip
            words += [f"{left.replace(part, part[::-1])}->{right}"
                      for part in left.split(",")]  # fmt: skip
            more = sorted(set(left) - set(right) - set(",. "))
            return words + [f"{value}{letter}" for letter in more]
    return []


def _calls(node: ast.Call) -> Edits:
    match node.func:
        case ast.Attribute(value=value, attr=name):
            yield f".{name}() dropped", value
            for other in CALLS.get(name, "").split():
                yield (
                    f".{name} -> .{other}",
                    _but(node, func=_but(node.func, attr=other)),
                )
        case ast.Name(id=name):
            for other in CALLS.get(name, "").split():
                func = ast.Name(other, ast.Load())
                yield f"{name} -> {other}", _but(node, func=func)
    if len(node.args) == 1 and not node.keywords:
        yield "call dropped", node.args[0]
    yield from _fewer(node, "args")
    yield from _fewer(node, "keywords", least=0)
