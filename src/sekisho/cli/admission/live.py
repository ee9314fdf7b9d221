"""The ValidatingAdmissionPolicies of a running cluster, as reviewers of its writes.

Policies, bindings, params and definitions are those that are stored at the moment of a review: listeners of
the store note what has changed, and the next review puts together anew what that concerns. What is malformed
is refused when it is written, in the API server's words; what types expressions do not fit is told in the
policy's status. The engine is imported when there is something to judge: most clusters have no such policy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sekisho.apiserver.admission import Chain, Guarding, Unmet
from sekisho.apiserver.authz import Rbac
from sekisho.apiserver.background import Background
from sekisho.apiserver.store import Event, Op, Row, Stale
from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Path
from sekisho.kube import fielderror
from sekisho.kube.object import Object
from sekisho.kube.review import Request, Step, Verdict
from sekisho.kube.schema import CustomKinds

if TYPE_CHECKING:
    from sekisho import cel
    from sekisho.apiserver.api import Api
    from sekisho.apiserver.store import Store
    from sekisho.policy.expressions import Compile, Expression
    from sekisho.policy.vap import Authorized, Judge, Policies

Key = tuple[str, str]

GROUP: Final = "admissionregistration.k8s.io"
POLICIES: Final = (GROUP, "validatingadmissionpolicies")
BINDINGS: Final = (GROUP, "validatingadmissionpolicybindings")
DEFINITIONS: Final = ("apiextensions.k8s.io", "customresourcedefinitions")
SECONDS: Final = 10.0
"""How long match conditions may take, as a webhook's default timeout."""


class LivePolicies:
    """Judges by the policies of an API. ``attach`` it before the API answers."""

    def __init__(self, *, compile: Compile | None = None) -> None:
        self._compile = compile
        self._api: Api | None = None
        self._policies: Policies | None = None
        self._chain = Chain()
        self._stale = True
        self._outdated = True
        self._heard: set[Key] = set()
        self._unchecked: set[str] = set()
        self._background = Background()

    def guarding(self) -> Guarding:
        """What the API server is given."""
        return Guarding(
            reviewers=self,
            conditions=self.conditions,
            problems=self.problems,
            begin=self.attach,
            end=self.close,
        )

    def attach(self, api: Api) -> None:
        """Judge the writes of an API."""
        self._api = api
        for key in (POLICIES, BINDINGS):
            api.store.hub.listen(key, self._policy_changed)
        self._hear(DEFINITIONS)
        self._unchecked = {row.place.name for row in api.store.rows(POLICIES)}
        if self._unchecked:
            self._background.start(self._check_types)

    async def close(self) -> None:
        """Stop what is under way."""
        await self._background.close()

    @property
    def _store(self) -> Store:
        assert self._api is not None, "attached before it is asked"
        return self._api.store

    # What changes.

    def _policy_changed(self, event: Event) -> None:
        self._stale = True
        if event.row.place.resource == POLICIES and event.op is not Op.DELETED:
            self._unchecked.add(event.row.place.name)
            self._background.start(self._check_types)

    def _hear(self, key: Key) -> None:
        if key not in self._heard:
            self._heard.add(key)
            self._store.hub.listen(key, self._inventory_changed)

    def _inventory_changed(self, _: Event) -> None:
        self._outdated = True

    def _current(self) -> Policies | None:
        """The policies as they are stored now; None where there are none."""
        if self._stale and not any(self._store.rows(key) for key in (POLICIES, BINDINGS)):
            self._policies, self._stale = None, False
        if not self._stale and self._policies is None:
            return None
        from sekisho.policy.vap import Judge, Policies

        if self._stale:
            objects = [Object(row.load()) for key in (POLICIES, BINDINGS) for row in self._store.rows(key)]
            self._policies = Policies.build(objects, inventory=self._inventory(), compile=self._compile)
            self._stale, self._outdated = False, True
        assert self._policies is not None, "built above"
        if self._outdated:
            for key in self._param_keys():
                self._hear(key)
            self._policies = self._policies.with_inventory(self._inventory())
            self._outdated = False
            judge = Judge(self._policies, authorizers=self._authorizers, positions=False)
            step = Step(name="ValidatingAdmissionPolicy", call=_Asking(judge))
            self._chain = Chain(steps=(step,))
        return self._policies

    def _param_keys(self) -> Iterator[Key]:
        registry = self._api.registry if self._api is not None else None
        for policy in self._policies.policies if self._policies is not None else ():
            kind = policy.written.param_kind
            if kind is not None and registry is not None:
                type = registry.of_kind(kind.group, kind.version, kind.kind)
                if type is not None:
                    yield type.key

    def _inventory(self) -> Iterator[Object]:
        """Definitions, and the objects that may be params."""
        for key in {DEFINITIONS, *self._param_keys()}:
            yield from (Object(row.load()) for row in self._store.rows(key))

    # What is asked.

    async def mutate(self, request: Request) -> Verdict:  # noqa: ARG002 - the protocol's shape
        """These policies change nothing."""
        return Verdict()

    async def validate(self, request: Request) -> Verdict:
        """What the policies say of a request."""
        policies = self._current()
        if policies is None or not policies.any:
            return Verdict()
        return await self._chain.validate(request)

    def conditions(self, object: Object, path: Path) -> Callable[[Request], bool]:
        """The match conditions of a webhook; raises DiagnosticError for malformed ones."""
        from sekisho.policy.expressions import ConditionError
        from sekisho.policy.vap import MatchConditions

        compiled = MatchConditions.of(object, path, compile=self._compiled)

        def hold(request: Request) -> bool:
            try:
                return compiled.hold(request, authorizers=self._authorizers, deadline=Deadline.after(SECONDS))
            except ConditionError as error:
                raise Unmet(str(error)) from None

        return hold

    def problems(self, object: Object) -> Sequence[Diagnostic]:
        """What keeps a policy or a binding from being stored."""
        from sekisho.policy.vap import Policies, is_binding, is_policy

        if not is_policy(object) and not is_binding(object):
            return ()
        found = Policies.build([object], compile=self._compiled).faults
        return [row for rows in found.values() for row in rows]

    def _compiled(self, expression: Expression, environment: cel.Environment) -> cel.Program:
        """Compile; what is wrong is told in the API server's words, at the expression's field."""
        from sekisho.cel.problems import display_all
        from sekisho.policy.expressions import plain_compile

        compile = self._compile or plain_compile
        try:
            return compile(expression, environment)
        except DiagnosticError as error:
            invalid = fielderror.invalid(expression.path, expression.text, "compilation failed")
            first = error.diagnostics[0]
            message = f"{invalid}: {display_all(error)}"
            raise DiagnosticError(Diagnostic(code=first.code, message=message, at=first.at)) from None

    def _authorizers(self, request: Request) -> Authorized:
        from sekisho.apiserver.authz.asking import Asking
        from sekisho.cel.kubernetes.authorizer import ResourceAttributes, authorizer_variables
        from sekisho.policy.vap import Authorized

        authorizer: Any = self._api.authorizer if self._api is not None else None
        resource = ResourceAttributes(
            group=request.resource.group,
            resource=request.resource.resource,
            subresource=request.subresource,
            namespace=request.namespace,
            name=request.name,
        )
        asking = Asking(authorizer) if isinstance(authorizer, Rbac) else _EVERYBODY
        values = authorizer_variables(asking, request.user, resource)
        return Authorized(values["authorizer"], values["authorizer.requestResource"])

    # Types.

    async def _check_types(self) -> None:
        """Write which expressions do not fit the kinds that their policies are about."""
        while self._unchecked:
            row = self._store.get(self._place(self._unchecked.pop()))
            if row is None:
                continue
            value = row.load()
            status = await asyncio.to_thread(self._types_of, Object(value), self._definitions())
            if status is not None and value.get("status") != status:
                await self._write(row, {**value, "status": {**(value.get("status") or {}), **status}})

    def _place(self, name: str) -> Any:
        from sekisho.apiserver.store import Place

        return Place(*POLICIES, "", name)

    async def _write(self, row: Row, value: dict[str, Any]) -> None:
        try:
            await self._store.write(row.place, value, base=row)
        except Stale:
            self._unchecked.add(row.place.name)

    def _definitions(self) -> list[Object]:
        return [Object(row.load()) for row in self._store.rows(DEFINITIONS)]

    def _types_of(self, policy: Object, definitions: Sequence[Object]) -> dict[str, Any] | None:
        """The status of a policy; None where it is as it should be already."""
        status = policy.raw.get("status") or {}
        if status.get("observedGeneration") == policy.metadata.get("generation") and "typeChecking" in status:
            return None
        from sekisho.policy.vap import Policies, expression_warnings, read_policy, type_checking

        written = read_policy(policy)
        scheme = (self._policies or Policies()).scheme
        custom = CustomKinds.of(definitions)
        return type_checking(written, expression_warnings(written, scheme=scheme, custom=custom))


class _Asking:
    """A judge that never waits."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def review(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        return self._judge(request, now=now, deadline=deadline)


class _Everybody:
    """Where nobody is asked who may do what, everybody may do everything."""

    def authorize(self, attributes: Any) -> Any:  # noqa: ARG002 - the protocol's shape
        from sekisho.cel.kubernetes.authorizer import Answer

        return Answer(allowed=True)


_EVERYBODY: Final = _Everybody()
