"""Modules: packages, imports, and the order of statements."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from sekisho.diag import Code, Source
from sekisho.rego import codes
from sekisho.rego.dialect import Dialect
from sekisho.rego.lexer import EOF, IDENTIFIER, KEYWORDS, SOFT_KEYWORDS
from sekisho.rego.nodes import (
    Body,
    Comment,
    Expr,
    Import,
    Module,
    Node,
    Package,
    Ref,
    Rule,
    Scalar,
    Term,
    Var,
)
from sekisho.rego.parser.annotations import Statement, read_annotations
from sekisho.rego.parser.height import HEIGHT, too_high
from sekisho.rego.parser.literals import value_name
from sekisho.rego.parser.rules import HeadError, Rules, v1_faults
from sekisho.rego.parser.state import Failure

_ROOTS: Final = frozenset({"data", "input", "future", "rego"})
_FUTURE: Final = ("contains", "every", "if", "in", "not")
_V1_WORDS: Final = KEYWORDS | SOFT_KEYWORDS


class Modules(Rules):
    """The productions of modules."""

    __slots__ = ("bodies", "rego_v1", "statements")

    def __init__(self, source: Source, dialect: Dialect, keywords: frozenset[str]) -> None:
        super().__init__(source, dialect, keywords)
        self.statements: list[Statement] = []
        self.bodies: dict[int, Body] = {}  # by number of statement: what is no rule yet
        self.rego_v1 = dialect is Dialect.V1

    def module(self, *, annotations: bool) -> Module:
        """``package {import | rule}``."""
        try:
            while self.kinds[self.i] != EOF:
                self._statement()
        except Failure:
            raise self.diagnostics() from None
        package = self._package()
        self._bare_rules()
        self._bound_height(self.statements)
        if self.rego_v1:
            self._check_v1()
        if package is None or self.errors:
            raise self.diagnostics()
        comments = self._comments()
        found = read_annotations(self, comments, self.statements) if annotations else ()
        if self.errors:
            raise self.diagnostics()
        return Module(
            self.source,
            self.dialect,
            package,
            tuple(s for s in self.statements if isinstance(s, Import)),
            tuple(s for s in self.statements if isinstance(s, Rule)),
            comments,
            found,
            self.keywords,
            start=0,
            end=len(self.text),
        )

    def _statement(self) -> None:
        kind = self.kinds[self.i]
        if kind == "package" and not self.names_reference(self.i):
            self.statements.append(self.package_clause())
            return
        if kind == "import" and not self.names_reference(self.i):
            self.statements.append(self.import_clause())
            return
        mark = self.mark()
        rules = self.rules()
        if rules is not None:
            self.statements.extend(rules)
            return
        self.back(mark)
        body = self.sentence()
        self.bodies[len(self.statements)] = body
        self.statements.append(body[0])

    # --- package and import -------------------------------------------------------------------------------

    def package_clause(self) -> Package:
        """``"package" var {"." name | "[" string "]"}``."""
        start = self.starts[self.i]
        term = self._path()
        if not isinstance(term, (Var, Ref)):
            raise self.unexpected()
        steps = term.path if isinstance(term, Ref) else ()
        head = term.head if isinstance(term, Ref) else term
        if not isinstance(head, Var):
            self.report_at(f"unexpected {value_name(head)} token: expecting var", head, codes.PACKAGE)
            raise Failure
        names = [head.name, *(self._name(step, codes.PACKAGE) for step in steps)]
        return Package(tuple(names), start=start, end=self.ends[self.i - 1])

    def _path(self) -> Term:
        """The path of a package or an import, which may begin with a keyword."""
        self.i += 1
        kind = self.kinds[self.i]
        if kind != IDENTIFIER and not self.is_keyword(kind):
            raise self.unexpected()
        return self.variable_term()

    def _name(self, step: Term, code: Code) -> str:
        if isinstance(step, Scalar) and isinstance(step.value, str):
            return step.value
        self.report_at(f"unexpected {value_name(step)} token: expecting string", step, code)
        raise Failure

    def import_clause(self) -> Import:
        """``"import" path ["as" var]``."""
        start = self.starts[self.i]
        path = self._path()
        head = path.head if isinstance(path, Ref) else path
        if not isinstance(path, (Ref, Var)) or not isinstance(head, Var):
            i = self.i
            self.report("expected path", self.starts[i], self.ends[i], codes.IMPORT)
            raise Failure
        steps = tuple(self._name(step, codes.IMPORT) for step in path.path) if isinstance(path, Ref) else ()
        if head.name not in _ROOTS:
            message = (
                "unexpected import path, must begin with one of: {data, future, input, rego}, "
                f"got: {head.name}"
            )
            help = f"import `data.{head.name}` if it is a package of yours"
            self.report_at(message, path, codes.IMPORT, help)
            raise Failure
        alias = self._alias()
        last = path.path[-1] if isinstance(path, Ref) else head
        if alias is None and steps and head.name != "future":
            self._no_keyword(steps[-1], last)
        found = Import(path, alias, start=start, end=self.ends[self.i - 1])
        if head.name == "rego":
            self._rego_import(found, steps)
        elif head.name == "future":
            self._future_import(found, steps)
        return found

    def _alias(self) -> str | None:
        if self.kinds[self.i] != "as":
            return None
        self.i += 1
        if self.kinds[self.i] != IDENTIFIER:
            raise self.unexpected("expected var", code=codes.IMPORT)
        alias = self.term()
        if not isinstance(alias, Var):
            raise self.unexpected("expected var", code=codes.IMPORT)
        return alias.name

    def _no_keyword(self, name: str, step: Term) -> None:
        words = _V1_WORDS if self.dialect is Dialect.V1 else KEYWORDS
        if name in words:
            message = f"unexpected import path, must not end with a keyword, got: {name}"
            help = "import a different path or use an alias"
            self.report_at(message, step, codes.IMPORT, help)
            raise Failure

    def _future_import(self, found: Import, steps: tuple[str, ...]) -> None:
        path = found.path
        message = ""
        if not steps or steps[0] != "keywords":
            message = "invalid import, must be `future.keywords`"
        elif found.alias is not None:
            message = "`future` imports cannot be aliased"
        elif len(steps) == 2 and steps[1] not in _FUTURE:
            message = f"unexpected keyword, must be one of [{' '.join(_FUTURE)}]"
        if message:
            self.report_at(message, path, codes.IMPORT)
            raise Failure
        words = set(steps[1:2]) if len(steps) == 2 else set(_FUTURE)
        if len(steps) == 2 and "not" in words:
            self.not_bodies = True
        self._reserve(words)

    def _rego_import(self, found: Import, steps: tuple[str, ...]) -> None:
        message = ""
        if steps != ("v1",):
            written = ".".join(("rego", *steps))
            message = f"invalid import `{written}`, must be `rego.v1`"
        elif found.alias is not None and self.dialect is Dialect.V0:
            message = "`rego` imports cannot be aliased"
        if message:
            self.report_at(message, found.path, codes.IMPORT)
            raise Failure
        self.rego_v1 = True
        self._reserve(SOFT_KEYWORDS)

    def _reserve(self, words: set[str] | frozenset[str]) -> None:
        """Make keywords of these words in what follows; ``every`` brings ``in`` along."""
        added = words & SOFT_KEYWORDS
        if "every" in added:
            added |= {"in"}
        if not added <= self.keywords:  # once a word: thousands of imports must not take quadratic time
            self.keywords |= added
            self.tokens.reserve(added, self.i)

    # --- the whole ----------------------------------------------------------------------------------------

    def _package(self) -> Package | None:
        """The package, which must come first and only once."""
        if not self.statements:
            help = "a module begins with `package name`"
            self.report("empty module", 0, 0, codes.EMPTY, help)
            return None
        first, *others = self.statements
        for extra in others:
            if isinstance(extra, Package):
                self.report_at("unexpected package", extra, codes.PACKAGE)
        if isinstance(first, Package):
            return first
        help = "begin the module with `package name`"
        self.report_at("package expected", first, codes.PACKAGE, help)
        return None

    def _bare_rules(self) -> None:
        """Make rules of the statements that have no body."""
        for at, body in self.bodies.items():
            if not at:
                continue  # it stands where the package should, which has been said
            try:
                self.statements[at] = self.bare(body)
            except HeadError as error:
                after = bisect_left(self.starts, body[-1].end)
                help = self._hint(min(after, len(self.starts) - 1))
                self.report_at(str(error), body[0], codes.RULE_HEAD, help)

    def _bound_height(self, roots: Sequence[Node]) -> None:
        """Refuse trees too deep for later stages; they are measured only if they may be."""
        if (self.deepest + 1) * (self.longest + 1) <= HEIGHT.value:
            return
        node = too_high(roots)
        if node is not None:
            self.report_at(str(HEIGHT), node, codes.TOO_DEEP)

    def _check_v1(self) -> None:
        for rule, draft in sorted(self.drafts, key=lambda pair: pair[0].start):
            for message, code, help in v1_faults(rule, draft, _V1_WORDS):
                self.report_at(message, rule, code, help)

    def _comments(self) -> tuple[Comment, ...]:
        text = self.text
        return tuple(
            Comment(text[start + 1 : end].removesuffix("\r"), start=start, end=end)
            for start, end in self.tokens.comments
        )

    def whole_query(self) -> Body:
        """``literal {(";" | newline) literal}`` to the end of the text."""
        exprs: list[Expr] = []
        try:
            while self.kinds[self.i] != EOF:
                exprs.extend(self.sentence())
        except Failure:
            raise self.diagnostics() from None
        self._bound_height(exprs)
        if self.errors:
            raise self.diagnostics()
        return tuple(exprs)
