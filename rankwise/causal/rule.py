"""A rule over columns, such as age > 40 and region in ["north", "east"], read without running anything.

The text is parsed into Python's syntax tree and only what is listed here is understood: names of columns (in backticks
where they hold spaces), numbers and quoted words, lists, comparisons, + - * /, and / or / not, and brackets. There are
no calls, attributes or powers, and neither eval nor pandas.eval is used: the tree is walked, one column at a time.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ..errors import DataError, UnknownName, explain, nearest

LONGEST, DEEPEST = 2_000, 50  # letters of a rule, and levels of its brackets
COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
MISTAKEN = {  # what people write, and what is meant
    ast.BitAnd: "write and instead of &",
    ast.BitOr: "write or instead of |",
    ast.BitXor: "write a comparison with != instead of ^",
    ast.Invert: "write not instead of ~",
    ast.Pow: "write x * x instead of x ** 2",
    ast.Assign: "write == instead of =",
    ast.Call: "functions are not called in a rule: make a column of it first",
    ast.Attribute: "a column's name with a dot in it stands in backticks",
}
EXAMPLE = 'A rule reads: age > 40 and region in ["north", "east"]'


@dataclass(frozen=True)
class Rule:
    """A yes or no for each row of a table.

    Attributes:
        text: as it was written.
        columns: the columns that it reads, in the order of the text.
    """

    text: str
    columns: tuple[str, ...]
    tree: ast.expr

    @classmethod
    def parse(cls, text: str, columns: Iterable[str]) -> Rule:
        """A rule over columns of these names.

        Raises:
            DataError: it is no rule, with the place of what is not understood.
            UnknownName: a name that is no column, with the nearest that is.
        """
        columns = list(columns)
        tree, names = _tree(text)
        used: list[str] = []
        _check(tree, text, columns, names, used)
        if not used:
            raise DataError(explain(f"the rule {text!r} reads no column.", EXAMPLE), rule=text)
        return cls(text, tuple(dict.fromkeys(used)), _renamed(tree, names))

    def __call__(self, table: Any) -> np.ndarray:
        """[n] bool: what the rule says of each row of a pandas table.

        Raises:
            DataError: a missing value, a comparison of words with numbers, a word that no row has, or no yes or no.
        """
        for name in self.columns:
            gaps = int(table[name].isna().sum())
            if gaps:
                raise DataError(
                    explain(
                        f"column {name!r} of the rule {self.text!r} is empty in {gaps} of {len(table)} rows.",
                        "A rule says nothing of such a row; drop these rows or fill them in.",
                    ),
                    column=name,
                )
        with np.errstate(divide="ignore", invalid="ignore"):
            said = np.asarray(self._value(self.tree, table))
        if said.dtype != bool:
            if not np.isin(said, (0, 1)).all():
                raise DataError(explain(f"the rule {self.text!r} is no yes or no.", EXAMPLE), rule=self.text)
            said = said.astype(bool)
        return np.broadcast_to(said, (len(table),)).copy()

    def _value(self, node: ast.expr, table: Any) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return _array(table[node.id])
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self._value(item, table) for item in node.elts]
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            parts = [self._truth(part, table) for part in node.values]
            return join.reduce(np.broadcast_arrays(*parts))
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                return ~self._truth(node.operand, table)
            return self._number(node.operand, table) * (-1 if isinstance(node.op, ast.USub) else 1)
        if isinstance(node, ast.BinOp):
            return ARITHMETIC[type(node.op)](self._number(node.left, table), self._number(node.right, table))
        node = cast(ast.Compare, node)  # _check lets nothing else through
        values = [self._value(part, table) for part in (node.left, *node.comparators)]
        said = [self._compare(op, a, b) for op, a, b in zip(node.ops, values, values[1:], strict=False)]
        return np.logical_and.reduce(np.broadcast_arrays(*said))

    def _truth(self, node: ast.expr, table: Any) -> np.ndarray:
        value = np.asarray(self._value(node, table))
        if value.dtype == bool:
            return value
        if value.dtype.kind in "iuf" and np.isin(value, (0, 1)).all():
            return value.astype(bool)
        raise DataError(
            explain(f"{ast.unparse(node)} in the rule {self.text!r} is no yes or no.", EXAMPLE), rule=self.text
        )

    def _number(self, node: ast.expr, table: Any) -> Any:
        value = np.asarray(self._value(node, table))
        if value.dtype.kind not in "iufb":
            raise DataError(
                explain(f"{ast.unparse(node)} in the rule {self.text!r} is no number, and is reckoned with."),
                rule=self.text,
            )
        return value.astype(float)

    def _compare(self, op: ast.cmpop, a: Any, b: Any) -> np.ndarray:
        """Two sides, each a column [n], one value, or a list of values."""
        inside, one, other = isinstance(op, (ast.In, ast.NotIn)), np.asarray(a), np.asarray(b)
        words = one.dtype.kind == "U", other.dtype.kind == "U"
        if words[0] != words[1] and one.size and other.size:
            seen = ", ".join(map(repr, np.unique(one if words[0] else other)[:3].tolist()))
            raise DataError(
                explain(
                    f"the rule {self.text!r} compares words with numbers.", f"The words are, for instance, {seen}."
                ),
                rule=self.text,
            )
        if all(words) and (inside or isinstance(op, (ast.Eq, ast.NotEq))):
            if isinstance(b, (str, list)) and one.ndim:
                self._known(other, one)
            elif isinstance(a, str) and other.ndim and not inside:
                self._known(one, other)
        if inside:
            found = np.isin(one, other)
            return ~found if isinstance(op, ast.NotIn) else found
        return np.asarray(COMPARE[type(op)](one, other))

    def _known(self, given: np.ndarray, column: np.ndarray) -> None:
        """A word that no row has is a slip of the pen, and would treat everyone or no one in silence."""
        seen = np.unique(column).tolist()
        for word in np.setdiff1d(given, column).tolist():
            near = ", ".join(map(repr, nearest(word, seen)))
            raise DataError(
                explain(f"the rule {self.text!r} names {word!r}, which no row has.", f"Nearest: {near}."),
                rule=self.text,
            )


def _array(column: Any) -> np.ndarray:
    """A column as booleans, numbers or words."""
    values = column.to_numpy()
    if values.dtype.kind in "biuf":
        return values
    if getattr(column.dtype, "kind", "O") in "biuf":  # pandas' own numbers with room for gaps
        return values.astype(float)
    return np.asarray([str(v) for v in values], dtype=str)


def _tree(text: str) -> tuple[ast.expr, dict[str, str]]:
    """The expression, and placeholder -> column for the names in backticks."""
    if len(text) > LONGEST:
        raise DataError(f"a rule of {len(text):,} letters is too long; {LONGEST:,} are read.", rule=text[:80])
    names: dict[str, str] = {}

    def placeholder(found: re.Match[str]) -> str:
        names[f"_column_{len(names)}_"] = found[1]
        return f" _column_{len(names) - 1}_ "

    plain = re.sub(r"`([^`]+)`", placeholder, text)
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd escapes and 1or 2
            (body,) = ast.parse(plain.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "write == instead of =" if re.search(r"[^=!<>]=[^=]", text) else ""
        raise DataError(explain(f"the rule {text!r} cannot be read.", hint, EXAMPLE), rule=text) from None
    if not isinstance(body, ast.Expr):
        hint = MISTAKEN.get(type(body), "")
        raise DataError(explain(f"the rule {text!r} is no question.", hint, EXAMPLE), rule=text)
    return body.value, names


def _check(node: ast.AST, text: str, columns: list[str], names: dict[str, str], used: list[str], deep: int = 0) -> None:
    """Raises for the first part of the tree that is not on the list; `used` gathers the columns."""
    allowed = (ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Constant, ast.List, ast.Tuple)
    operators = [*([node.op] if isinstance(node, (ast.UnaryOp, ast.BinOp)) else []), node]
    wrong = next((type(o) for o in operators if type(o) in MISTAKEN), None)
    if wrong is None and isinstance(node, (ast.BinOp, ast.UnaryOp)):
        fine = type(node.op) in ARITHMETIC or isinstance(node.op, (ast.Not, ast.USub, ast.UAdd))
    else:
        fine = wrong is None and isinstance(node, allowed)
    if isinstance(node, ast.Compare):
        fine = all(type(op) in COMPARE or isinstance(op, (ast.In, ast.NotIn)) for op in node.ops)
        lists = [isinstance(part, (ast.List, ast.Tuple)) for part in node.comparators]
        fine = fine and lists == [isinstance(op, (ast.In, ast.NotIn)) for op in node.ops]
    elif isinstance(node, (ast.List, ast.Tuple)):
        fine = bool(node.elts) and all(isinstance(item, (ast.Constant, ast.UnaryOp)) for item in node.elts)
    if isinstance(node, ast.Constant):
        fine = isinstance(node.value, (bool, int, float, str)) and not (
            isinstance(node.value, int) and abs(node.value) > 2**53
        )
    if not fine or deep > DEEPEST:
        what = ast.unparse(node) if isinstance(node, ast.expr) and deep <= DEEPEST else type(node).__name__
        hint = MISTAKEN.get(wrong, "") if wrong else ""
        raise DataError(explain(f"{what!r} in the rule {text[:80]!r} is not understood.", hint, EXAMPLE), rule=text)
    if isinstance(node, ast.Name):
        name = names.get(node.id, node.id)
        if name not in columns:
            near = ", ".join(nearest(name, columns))
            raise UnknownName(
                explain(f"the rule {text!r} names {name!r}, which is no column.", f"Nearest: {near}."), name=name
            )
        used.append(name)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check(child, text, columns, names, used, deep + 1)


def _renamed(tree: ast.expr, names: dict[str, str]) -> ast.expr:
    """The tree with the true names of columns that stood in backticks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    return tree
