"""Tokens to a tree, by cel-go's grammar, and its macros to folds.

    expr    = or ["?" or ":" expr]
    or      = and {"||" and}
    and     = relation {"&&" relation}
    relation, calc: binary operators, left to right; < <= > >= == != in, then + -, then * / %
    unary   = {"!"} member | {"-"} member
    member  = primary {"." ["?"] name | "." name "(" args ")" | "[" ["?"] expr "]"}
    primary = ["."] name ["(" args ")"] | "(" expr ")" | list | map | struct | literal

A level of parentheses takes two Python frames: operators are reduced with a stack, as their precedences say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from sekisho.cel import codes
from sekisho.cel.lexer import (
    BYTES,
    EOF,
    ESCAPED,
    FLOAT,
    IDENT,
    INT,
    STRING,
    UINT,
    Token,
    tokens,
)
from sekisho.cel.library import Macro
from sekisho.cel.literals import EscapeError, bytes_value, number_value, text_value
from sekisho.cel.nodes import (
    Call,
    Entry,
    FieldEntry,
    Ident,
    ListNode,
    Literal,
    MapNode,
    Node,
    Select,
    StructNode,
    depth_of,
)
from sekisho.cel.problems import Problems
from sekisho.cel.types import ERROR
from sekisho.cel.values import Value
from sekisho.diag import Code, Limit, Source

SIZE: Final = Limit("a CEL expression", 100_000, "characters", "cel-go's limit")
DEPTH: Final = Limit("nesting of a CEL expression", 250, "levels", "cel-go's limit")

RESERVED: Final = frozenset(
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return", "var", "void", "while",
    }
)  # fmt: skip
"""Words that may be names of fields but not of variables."""

_OPERANDS: Final = (
    "{{'[', {}'{{', {}'(', {}'.', {}'-', '!', {}'true', 'false', 'null', "
    "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}}"
)
"""What may begin an operand, with places for what else may stand there."""
_STARTS: Final = frozenset(
    {"[", "{", "(", ".", "-", "!", "true", "false", "null", FLOAT, INT, UINT, STRING, BYTES, IDENT}
)
_BINARY: Final = {
    "||": 1,
    "&&": 2,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "==": 3,
    "!=": 3,
    "in": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
}
_NAMES: Final = {"in": "@in", **{op: f"_{op}_" for op in _BINARY if op != "in"}}
_CLOSERS: Final = frozenset({")", "]"})
_FOLLOWERS: Final = frozenset({*_BINARY, "?", ":", ",", ")", "]", "}", ".", "[", EOF})
"""What may follow an operand."""

_LITERALS: Final[Mapping[str, Value]] = {"true": True, "false": False, "null": None}

Macros = Mapping[tuple[str, int, bool], Macro]


class Stop(Exception):
    """The text cannot be read further; the problem is noted."""


def parse(source: Source, macros: Macros, problems: Problems, *, optional_syntax: bool = True) -> Node | None:
    """The tree of an expression; None, and problems (CEL0xx), where it cannot be read."""
    text = source.text
    if len(text) > SIZE.value:
        message = f"expression code point size exceeds limit: size: {len(text)}, limit {SIZE.value}"
        problems.add(codes.TOO_LARGE, message, 0)
        return None
    found = tokens(text, lambda at, part: problems.syntax(at, f"token recognition error at: '{part}'"))
    parser = Parser(found, macros, problems, optional_syntax=optional_syntax)
    try:
        root = parser.expression()
        parser.finish()
    except Stop:
        return None
    if depth_of(root) > DEPTH.value:
        problems.add(codes.TOO_DEEP, "max recursion depth exceeded", 0)
        return None
    return root


class Parser:
    """Reads one expression. It is also the ``Expander`` of macros."""

    def __init__(
        self, found: list[Token], macros: Macros, problems: Problems, *, optional_syntax: bool
    ) -> None:
        self._tokens = found
        self._at = 0
        self._macros = macros
        self._problems = problems
        self._optional_syntax = optional_syntax
        self._depth = 0
        self._fresh = 0

    # --- expander -----------------------------------------------------------------------------------------

    def fresh(self, stem: str) -> str:
        """See ``library.Expander``."""
        self._fresh += 1
        return f"@{stem}:{self._fresh}"

    def error(self, message: str, node: Node) -> Node:
        """See ``library.Expander``."""
        return self._refuse(codes.MACRO, message, node.start, node.end)

    def _refuse(self, code: Code, message: str, start: int, end: int) -> Node:
        self._problems.add(code, message, start, end)
        return Literal(value=None, start=start, end=end, first=start, type=ERROR)

    # --- tokens -------------------------------------------------------------------------------------------

    def _kind(self) -> str:
        return self._tokens[self._at].kind

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != EOF:
            self._at += 1
        return token

    def _accept(self, kind: str) -> Token | None:
        if self._tokens[self._at].kind == kind:
            return self._take()
        return None

    def _expect(self, kind: str, expected: str = "") -> Token:
        """The token that must stand here. ``expected`` says what else could."""
        token = self._tokens[self._at]
        if token.kind != kind:
            message = f"mismatched input '{token.text}' expecting '{kind}'"
            if expected:
                message = f"mismatched input '{token.text}' expecting {expected}"
            elif token.kind != EOF and self._tokens[self._at + 1].kind == kind:
                message = f"extraneous input '{token.text}' expecting '{kind}'"
            elif kind in _CLOSERS and token.kind in _FOLLOWERS:
                message = f"missing '{kind}' at '{token.text}'"
            self._stop(message, token)
        return self._take()

    def _stop(self, message: str, token: Token) -> NoReturn:
        self._problems.syntax(token.start, message, token.end)
        raise Stop

    def finish(self) -> None:
        """Nothing may follow."""
        token = self._tokens[self._at]
        if token.kind == EOF:
            return
        last = self._tokens[self._at + 1].kind == EOF
        self._stop(f"{'extraneous' if last else 'mismatched'} input '{token.text}' expecting <EOF>", token)

    # --- expressions --------------------------------------------------------------------------------------

    def expression(self, *, ternary: bool = True) -> Node:
        """``expr``; without ``ternary``, ``or``: operands and binary operators, up to what is neither."""
        self._depth += 1
        if self._depth > DEPTH.value:
            self._too_deep()
        operands = [self._operand()]
        pending: list[Token] = []
        while True:
            token = self._tokens[self._at]
            strength = _BINARY.get(token.kind, 0)
            while pending and _BINARY[pending[-1].kind] >= strength:
                _reduce(operands, pending.pop())
            if not strength:
                break
            pending.append(self._take())
            operands.append(self._operand())
        [node] = operands
        mark = self._accept("?") if ternary else None
        if mark is not None:
            yes = self.expression(ternary=False)
            self._expect(":")
            no = self.expression()
            args = [node, yes, no]
            node = Call(function="_?_:_", args=args, start=mark.start, end=no.end, first=node.first)
        self._depth -= 1
        return node

    def _too_deep(self) -> NoReturn:
        start = self._tokens[self._at].start
        self._problems.add(codes.TOO_DEEP, f"expression recursion limit exceeded: {DEPTH.value}", start)
        raise Stop

    def _operand(self) -> Node:
        """``unary``, with its member accesses."""
        first = self._tokens[self._at]
        marks = 0
        if first.kind in ("!", "-"):
            # A sign alone before a number is part of it; of several, none is.
            while self._kind() == first.kind and (marks or first.kind == "!" or not self._number_next()):
                self._take()
                marks += 1
        opened = self._accept("(")
        if opened is not None:
            node = self.expression()
            node.end = self._expect(")").end
            node.first = opened.start
        else:
            node = self._primary()
        node = self._member(node)
        if marks % 2:
            name = "!_" if first.kind == "!" else "-_"
            node = Call(function=name, args=[node], start=first.start, end=node.end, first=first.start)
        elif marks:
            node.first = first.start
        return node

    def _number_next(self) -> bool:
        """Whether the sign here belongs to a number."""
        return self._tokens[self._at + 1].kind in (INT, FLOAT)

    def _member(self, node: Node) -> Node:
        while True:
            token = self._tokens[self._at]
            if token.kind == ".":
                self._take()
                node = self._selection(node, token)
            elif token.kind == "[":
                self._take()
                optional = self._question("[?")
                index = self.expression()
                end = self._expect("]").end
                name = "_[?_]" if optional else "_[_]"
                node = Call(function=name, args=[node, index], start=token.start, end=end, first=node.first)
            else:
                return node

    def _question(self, syntax: str) -> bool:
        """Whether a ``?`` stands here that makes what follows optional."""
        mark = self._accept("?")
        if mark is None:
            return False
        if not self._optional_syntax:
            start = mark.start - len(syntax) + 1  # the dot or the bracket, where there is one
            self._problems.add(codes.SYNTAX, f"unsupported syntax '{syntax}'", start, mark.end)
        return True

    def _selection(self, operand: Node, dot: Token) -> Node:
        optional = self._question(".?")
        name = self._field_name()
        opened = None if optional or name.kind == ESCAPED else self._accept("(")
        if opened is None:
            return Select(
                operand=operand,
                field=name.text.strip("`"),
                optional=optional,
                start=dot.start,
                end=name.end,
                first=operand.first,
            )
        args = self._arguments()
        end = self._expect(")").end
        call = Call(
            function=name.text,
            args=[operand, *args],
            member=True,
            start=opened.start,
            end=end,
            first=operand.first,
        )
        return self._expanded(call, operand, args)

    def _field_name(self) -> Token:
        token = self._tokens[self._at]
        if token.kind not in (IDENT, ESCAPED):
            text = "" if token.kind == EOF else token.text
            message = f"no viable alternative at input '.{text}'"
            if token.kind in _LITERALS:
                message = f"mismatched input '{text}' expecting IDENTIFIER"
            self._stop(message, token)
        return self._take()

    def _arguments(self) -> list[Node]:
        args: list[Node] = []
        if self._kind() == ")":
            return args
        args.append(self.expression())
        while self._accept(","):
            args.append(self.expression())
        return args

    def _expanded(self, call: Call, target: Node | None, args: list[Node]) -> Node:
        """The call, or what a macro makes of it."""
        member = target is not None
        macro = self._macros.get((call.function, len(args), member))
        if macro is None:
            macro = self._macros.get((call.function, -1, member))
        if macro is None:
            return call
        made = macro.expand(self, call, target, tuple(args))
        return call if made is None else made

    # --- primaries ----------------------------------------------------------------------------------------

    def _primary(self) -> Node:
        token = self._tokens[self._at]
        kind = token.kind
        if kind in (IDENT, "."):
            return self._name()
        if kind == "[":
            return self._list()
        if kind == "{":
            return self._map()
        if kind not in _STARTS or kind == "!" or (kind == "-" and not self._number_next()):
            after = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
            what = "extraneous" if after.kind in _STARTS else "mismatched"
            self._stop(f"{what} input '{token.text}' expecting {self._operands()}", token)
        return self._literal()

    def _operands(self) -> str:
        """What may stand here, where an operand may begin."""
        before = self._tokens[self._at - 1].kind if self._at else ""
        called = self._at > 1 and self._tokens[self._at - 2].kind in (IDENT, ")", "]")
        extra = {
            "(": ("", "", "')', ", "", "") if called else (),
            "[": ("", "", "", "", "'?', ") if called else ("']', ", "", "", "',', ", "'?', "),
            "{": ("", "'}', ", "", "',', ", "'?', "),
        }.get(before, ())
        return _OPERANDS.format(*(extra or ("",) * 5))

    def _name(self) -> Node:
        """A variable, a call of a function, or a struct literal."""
        first = self._tokens[self._at]
        absolute = self._accept(".") is not None
        name = self._expect(IDENT, "IDENTIFIER")
        struct = self._struct_name(first, name, absolute=absolute)
        if struct is not None:
            return struct
        if name.text in RESERVED:
            return self._refuse(codes.RESERVED, f"reserved identifier: {name.text}", first.start, name.end)
        opened = self._accept("(")
        if opened is None:
            return Ident(name=name.text, absolute=absolute, start=name.start, end=name.end, first=first.start)
        args = self._arguments()
        end = self._expect(")").end
        text = f".{name.text}" if absolute else name.text
        call = Call(function=text, args=args, start=opened.start, end=end, first=first.start)
        return self._expanded(call, None, args)

    def _struct_name(self, first: Token, name: Token, *, absolute: bool) -> Node | None:
        """A struct literal, if the names that follow end in a brace."""
        at = self._at
        parts = [name.text]
        found = self._tokens
        while found[at].kind == "." and found[at + 1].kind == IDENT:
            parts.append(found[at + 1].text)
            at += 2
        if found[at].kind != "{":
            return None
        self._at = at
        opened = self._take()
        entries: list[FieldEntry] = []
        while self._kind() != "}":
            optional = self._question("?")
            field = self._tokens[self._at]
            if field.kind not in (IDENT, ESCAPED):
                self._stop(f"mismatched input '{field.text}' expecting {{IDENTIFIER, ESC_IDENTIFIER}}", field)
            self._take()
            colon = self._expect(":")
            value = self.expression()
            entry = FieldEntry(start=colon.start, field=field.text.strip("`"), value=value, optional=optional)
            entries.append(entry)
            if not self._another("}"):
                break
        end = self._expect("}", "{'}', ','}").end
        text = ".".join(parts)
        return StructNode(
            name=f".{text}" if absolute else text,
            entries=entries,
            start=opened.start,
            end=end,
            first=first.start,
        )

    def _list(self) -> Node:
        opened = self._take()
        elements: list[Node] = []
        optional: set[int] = set()
        while self._kind() != "]":
            if self._question("?"):
                optional.add(len(elements))
            elements.append(self.expression())
            if not self._another("]"):
                break
        end = self._expect("]", "{']', ','}").end
        return ListNode(
            elements=elements, optional=frozenset(optional), start=opened.start, end=end, first=opened.start
        )

    def _another(self, end: str) -> bool:
        """Whether a comma stands here; then another element follows, or the end."""
        if not self._accept(","):
            return False
        token = self._tokens[self._at]
        if token.kind not in _STARTS and token.kind not in ("?", end, IDENT, ESCAPED):
            self._stop(f"mismatched input '{token.text}' expecting '{end}'", token)
        return True

    def _map(self) -> Node:
        opened = self._take()
        entries: list[Entry] = []
        while self._kind() != "}":
            optional = self._question("?")
            key = self.expression()
            colon = self._expect(":")
            value = self.expression()
            entries.append(Entry(start=colon.start, key=key, value=value, optional=optional))
            if not self._another("}"):
                break
        end = self._expect("}", "{'}', ','}").end
        return MapNode(entries=entries, start=opened.start, end=end, first=opened.start)

    def _literal(self) -> Node:
        first = self._take()
        sign = ""
        token = first
        if first.kind == "-":
            sign = "-"
            token = self._take()
        if token.kind in _LITERALS:
            return _written(_LITERALS[token.kind], first, token)
        text = token.text
        try:
            if token.kind == STRING:
                return _written(text_value(text), first, token)
            if token.kind == BYTES:
                return _written(bytes_value(text), first, token)
        except EscapeError as wrong:
            return self._refuse(codes.LITERAL, str(wrong), first.start, token.end)
        value = number_value(token.kind, sign, text)
        if value is None:
            what = {INT: "int", UINT: "uint", FLOAT: "double"}[token.kind]
            return self._refuse(codes.LITERAL, f"invalid {what} literal", first.start, token.end)
        return _written(value, first, token)


def _written(value: Value, first: Token, last: Token) -> Literal:
    return Literal(value=value, start=first.start, end=last.end, first=first.start)


def _reduce(operands: list[Node], operator: Token) -> None:
    """Apply a binary operator to the last two operands; ``&&`` and ``||`` take any number of them."""
    right = operands.pop()
    left = operands[-1]
    name = _NAMES[operator.kind]
    if operator.kind in ("&&", "||") and isinstance(left, Call) and left.function == name:
        left.args.append(right)
        left.end = right.end
        return
    operands[-1] = Call(
        function=name, args=[left, right], start=operator.start, end=right.end, first=left.first
    )
