"""Stand-in for the checks until they are here: resolves names and orders bodies."""
# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from dataclasses import replace

from sekisho.rego import nodes as n
from sekisho.rego.nodes import Call, Expr, Ref, Scalar, Var
from sekisho.rego.check.program import Checked, CheckedQuery, FunctionWith, Rule, TreeNode
from sekisho.rego.builtins.table import TABLE


def pattern_names(term):
    match term:
        case Var(name=name):
            return [name]
        case n.ArrayTerm(items=items):
            return [name for item in items for name in pattern_names(item)]
        case n.ObjectTerm(pairs=pairs):
            return [name for _, item in pairs for name in pattern_names(item)]
        case _:
            return []


def _declared(expr):
    statement = expr.statement
    match statement:
        case n.SomeDecl(names=names):
            return [name.name for name in names]
        case n.SomeIn(key=key, value=value):
            return [*(pattern_names(key) if key is not None else ()), *pattern_names(value)]
        case n.TermExpr(term=n.Call(name=Var(name="assign"), args=args)) if len(args) == 2:
            return pattern_names(args[0])
        case _:
            return []


class Resolver:
    def __init__(self, imports, rules, package):
        self.globals = {}
        for name in rules:
            self.globals[name] = ("data", *package, name)
        for imp in imports:
            path = imp.path
            if isinstance(path, Var):
                steps = (path.name,)
            else:
                steps = (path.head.name, *(s.value for s in path.path))
            if steps[0] in ("future", "rego"):
                continue
            alias = imp.alias or steps[-1]
            self.globals[alias] = steps

    def term(self, t, loc):
        match t:
            case Var(name=name):
                if name in loc or name not in self.globals:
                    return t
                steps = self.globals[name]
                if len(steps) == 1:
                    return Var(steps[0], start=t.start, end=t.end)
                return Ref(Var(steps[0]), tuple(map(Scalar, steps[1:])), start=t.start, end=t.end)
            case Ref(head=h, path=p):
                h2 = self.term(h, loc)
                p2 = tuple(self.term(s, loc) for s in p)
                if isinstance(h, Var) and isinstance(h2, Ref):
                    return replace(t, head=h2.head, path=h2.path + p2)
                return replace(t, head=h2, path=p2)
            case n.ArrayTerm() | n.SetTerm():
                return replace(t, items=tuple(self.term(i, loc) for i in t.items))
            case n.ObjectTerm():
                return replace(t, pairs=tuple((self.term(a, loc), self.term(b, loc)) for a, b in t.pairs))
            case n.ArrayComp() | n.SetComp():
                b, l2 = self.body(t.body, loc)
                return replace(t, body=b, term=self.term(t.term, l2))
            case n.ObjectComp():
                b, l2 = self.body(t.body, loc)
                return replace(t, body=b, key=self.term(t.key, l2), value=self.term(t.value, l2))
            case Call(name=Var(name="assign"), args=args) if len(args) == 2:
                return replace(t, name=Var("eq"), args=tuple(self.term(a, loc) for a in t.args))
            case Call(name=Var(name="print")):
                comps = tuple(
                    n.SetComp(
                        Var("p~1"), (Expr(n.TermExpr(Call(Var("eq"), (Var("p~1"), self.term(a, loc))))),)
                    )
                    for a in t.args
                )
                return Call(Var("internal.print"), (n.ArrayTerm(comps),))
            case Call():
                nm = self.term(t.name, loc)
                if isinstance(nm, Ref) and nm.head.name != "data":
                    nm = Var(".".join([nm.head.name, *(s.value for s in nm.path)]))
                return replace(t, name=nm, args=tuple(self.term(a, loc) for a in t.args))
            case n.TemplateString():
                parts = []
                for p in t.parts:
                    if isinstance(p, str):
                        parts.append(Scalar(p))
                    else:
                        e = self.expr(p, loc)
                        parts.append(
                            n.SetComp(
                                Var("p~1"),
                                (
                                    replace(
                                        e,
                                        statement=n.TermExpr(Call(Var("eq"), (Var("p~1"), e.statement.term))),
                                    ),
                                ),
                            )
                        )
                return Call(Var("internal.template_string"), (n.ArrayTerm(tuple(parts)),))
        return t

    def body(self, body, loc):
        l2 = set(loc)
        for e in body:
            l2.update(_declared(e))
        return tuple(
            order([self.expr(e, l2) for e in body if not isinstance(e.statement, n.SomeDecl)], loc)
        ), l2

    def with_(self, w, loc):
        target = self.term(w.target, loc)
        value = self.term(w.value, loc)

        def fn(t):
            if isinstance(t, Var):
                return t if t.name in TABLE else None
            if (
                isinstance(t, Ref)
                and isinstance(t.head, Var)
                and all(isinstance(s, Scalar) and isinstance(s.value, str) for s in t.path)
            ):
                name = ".".join([t.head.name, *(s.value for s in t.path)])
                if t.head.name == "data":
                    return t if tuple(s.value for s in t.path) in FUNCTIONS else None
                return Var(name) if name in TABLE else None
            return None

        f = fn(target)
        if f is not None:
            return FunctionWith(f, value, replacement=fn(value), start=w.start, end=w.end)
        return replace(w, target=target, value=value)

    def expr(self, e, loc):
        s = e.statement
        match s:
            case n.TermExpr():
                s = replace(s, term=self.term(s.term, loc))
            case n.SomeIn():
                s = replace(
                    s,
                    key=s.key and self.term(s.key, loc),
                    value=self.term(s.value, loc),
                    domain=self.term(s.domain, loc),
                )
            case n.Every():
                l2 = set(loc) | {s.value.name} | ({s.key.name} if s.key else set())
                b, _ = self.body(s.body, l2)
                s = replace(s, domain=self.term(s.domain, loc), body=b)
            case n.NotBody():
                b, _ = self.body(s.body, loc)
                s = replace(s, body=b)
        withs = tuple(self.with_(w, loc) for w in e.withs)
        return replace(e, statement=s, withs=withs)

    def rule(self, r, module, outer=()):
        args = r.head.args
        loc = set(outer)
        for a in args or ():
            loc.update(pattern_names(a))
        body, l2 = self.body(r.body, loc)
        h = r.head
        ref = h.ref
        steps = ()
        name = ref.name if isinstance(ref, Var) else ref.head.name
        path = (*module.package.path, name)
        if isinstance(ref, Ref):
            steps = tuple(self.term(s, l2) for s in ref.path)
            while steps and isinstance(steps[0], Scalar) and isinstance(steps[0].value, str):
                path = (*path, steps[0].value)
                steps = steps[1:]
        return Rule(
            module=module,
            node=r,
            path=path,
            kind=h.kind,
            suffix=steps,
            args=args and tuple(self.term(a, loc) for a in args),
            key=h.key and self.term(h.key, l2),
            value=self.term(h.value, l2) if h.value is not None else Scalar(True),
            body=body,
            orelse=r.orelse and self.rule(r.orelse, module, loc),
            default=r.default,
        )


FUNCTIONS = set()


def order(exprs, bound):
    """Greedy safe order."""
    exprs = list(exprs)
    bound = set(bound) | {"input", "data"}
    done = []
    allv = set()
    for e in exprs:
        allv |= evars(e)
    while exprs:
        for i, e in enumerate(exprs):
            if ok(e, bound, allv):
                done.append(e)
                bound |= binds(e)
                del exprs[i]
                break
        else:
            return done + exprs
    return done


def tvars(t):
    """All vars outside closures."""
    match t:
        case Var(name=x):
            return {x}
        case Ref(head=h, path=p):
            return tvars(h) | set().union(*map(tvars, p))
        case n.ArrayTerm(items=i) | n.SetTerm(items=i):
            return set().union(*map(tvars, i)) if i else set()
        case n.ObjectTerm(pairs=p):
            return set().union(*(tvars(a) | tvars(b) for a, b in p)) if p else set()
        case Call(args=a):
            return set().union(*map(tvars, a)) if a else set()
    return set()


def closure_vars(t):
    """Vars in closures (any)."""
    out = set()

    def visit(x):
        if isinstance(x, (n.ArrayComp, n.SetComp, n.ObjectComp)):
            for e in x.body:
                out.update(evars(e, True))
            for f in ("term", "key", "value"):
                if hasattr(x, f) and getattr(x, f) is not None:
                    out.update(tvars(getattr(x, f)))
        kids(x, visit)

    visit(t)
    return out


def kids(x, visit):
    match x:
        case Ref(head=h, path=p):
            visit(h)
            for s in p:
                visit(s)
        case n.ArrayTerm(items=i) | n.SetTerm(items=i):
            for s in i:
                visit(s)
        case n.ObjectTerm(pairs=p):
            for a, b in p:
                visit(a)
                visit(b)
        case Call(args=a):
            for s in a:
                visit(s)
        case n.TemplateString(parts=ps):
            for p in ps:
                if not isinstance(p, str):
                    visit(p.statement.term)


def sterms(s):
    match s:
        case n.TermExpr(term=t):
            return [t]
        case n.SomeIn(key=k, value=v, domain=d):
            return [x for x in (k, v, d) if x is not None]
        case n.Every(domain=d):
            return [d]
    return []


def evars(e, deep=False):
    out = set()
    for t in sterms(e.statement):
        out |= tvars(t)
        if deep:
            out |= closure_vars(t)
    if isinstance(e.statement, (n.Every, n.NotBody)) and deep:
        for x in e.statement.body:
            out |= evars(x, True)
    for w in e.withs:
        out |= tvars(w.value)
    return out


def needs(t, bound):
    """Vars needed for evaluating t; refs' steps may be free."""
    match t:
        case Var(name=x):
            return {x}
        case Ref(head=h, path=p):
            out = needs(h, bound)
            for s in p:
                if isinstance(s, (Var, n.ArrayTerm, n.ObjectTerm)):
                    continue
                out |= needs(s, bound)
            return out
        case n.ArrayTerm(items=i) | n.SetTerm(items=i):
            return set().union(*(needs(x, bound) for x in i)) if i else set()
        case n.ObjectTerm(pairs=p):
            return set().union(*(needs(a, bound) | needs(b, bound) for a, b in p)) if p else set()
        case Call(args=a, name=nm):
            return set().union(*(needs(x, bound) for x in a)) if a else set()
    return set()


def ok(e, bound, allv):
    s = e.statement
    need = set()
    for w in e.withs:
        need |= needs(w.value, bound)
    clos = set()
    for t in sterms(s):
        clos |= closure_vars(t)
    if isinstance(s, (n.Every, n.NotBody)):
        for x in s.body:
            clos |= evars(x, True)
    need |= clos & allv
    if e.negated:
        need |= {v for v in evars(e) if v in allv and not v.startswith("$")} & (allv)
        shared = set()
        return need <= bound | {v for v in need if v.startswith("$")}
    match s:
        case n.TermExpr(term=Call(name=Var(name="eq" | "assign"), args=(a, b))):
            binding = e_free(a, bound) | e_free(b, bound)
            la, lb = lneeds(a), lneeds(b)
            if la - bound and lb - bound:
                # one side must be evaluable entirely
                na, nb = needs(a, bound), needs(b, bound)
                if na - bound and nb - bound:
                    if not pairable(a, b, bound):
                        return False
            need |= inner_needs(a, bound) | inner_needs(b, bound)
        case n.TermExpr(term=t):
            if isinstance(t, Call):
                args = t.args
                need |= set().union(*(needs(x, bound) for x in args[: max(arity(t), 0)])) if args else set()
            else:
                need |= needs(t, bound)
        case n.SomeIn(domain=d):
            need |= needs(d, bound)
        case n.Every(domain=d):
            need |= needs(d, bound)
    return need <= bound


def arity(c):
    from sekisho.rego.builtins.table import TABLE

    name = (
        c.name.name
        if isinstance(c.name, Var)
        else ".".join([c.name.head.name, *(s.value for s in c.name.path)])
    )
    return len(TABLE[name].type.args) if name in TABLE else len(c.args)


def pairable(a, b, bound):
    if isinstance(a, n.ArrayTerm) and isinstance(b, n.ArrayTerm):
        return True
    if isinstance(a, n.ObjectTerm) and isinstance(b, n.ObjectTerm):
        return True
    return False


def lneeds(t):
    return needs(t, set())


def inner_needs(t, bound):
    """Needs of parts that are not patterns."""
    match t:
        case Var():
            return set()
        case n.ArrayTerm(items=i):
            return set().union(*(inner_needs(x, bound) for x in i)) if i else set()
        case n.ObjectTerm(pairs=p):
            return set().union(*(needs(a, bound) | inner_needs(b, bound) for a, b in p)) if p else set()
    return needs(t, bound)


def e_free(t, bound):
    return tvars(t) - bound


def binds(e):
    if e.negated or isinstance(e.statement, (n.Every, n.NotBody)):
        return set()
    return evars(e)


def check(modules, *, capabilities=None, strict=False, keep_print=True, exists=None):
    packages = {}
    for m in modules:
        names = packages.setdefault(m.package.path, [])
        for r in m.rules:
            ref = r.head.ref
            names.append(ref.name if isinstance(ref, Var) else ref.head.name)
    FUNCTIONS.clear()
    for m in modules:
        for r in m.rules:
            if r.head.args is not None:
                ref = r.head.ref
                FUNCTIONS.add(
                    (
                        *m.package.path,
                        *(
                            (ref.name,)
                            if isinstance(ref, Var)
                            else (ref.head.name, *(s.value for s in ref.path))
                        ),
                    )
                )
    root = TreeNode(path=())
    for m in modules:
        res = Resolver(m.imports, packages[m.package.path], m.package.path)
        for r in m.rules:
            rule = res.rule(r, m)
            node = root
            for i, s in enumerate(rule.path):
                node = node.children.setdefault(s, TreeNode(path=rule.path[: i + 1]))
            node.kind = rule.kind
            if rule.default:
                node.default = rule
            else:
                node.rules = (*node.rules, rule)
            if rule.args is not None:
                node.arity = len(rule.args)
    return Checked(modules=tuple(modules), tree=root, order=(), packages=frozenset(packages))


def check_query(checked, body, module, *, capabilities=None, strict=False, keep_print=True):
    out, values, i = [], [], 0
    for e in body:
        st = e.statement
        if (
            not e.negated
            and isinstance(st, n.TermExpr)
            and not (
                isinstance(st.term, Call)
                and isinstance(st.term.name, Var)
                and st.term.name.name in ("eq", "assign", "print")
            )
        ):
            v = f"q~{i}"
            i += 1
            out.append(replace(e, statement=replace(st, term=Call(Var("eq"), (Var(v), st.term)))))
            values.append((e, v))
        else:
            out.append(e)
            values.append((e, None))
    node = checked.tree.find(module.package.path) if module.package.path else None
    res, _ = Resolver(module.imports, node.children if node else (), module.package.path).body(out, set())
    names = {}
    for e in body:
        for x in evars(e):
            if not x.startswith("$") and x not in ("input", "data") and not e.negated:
                names[x] = x
    return CheckedQuery(module=None, body=res, variables=names, expressions=tuple(values))
