"""strings.render_template: Go's text/template over an object."""

from __future__ import annotations

from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import Support, row
from sekisho.rego.builtins.templates.run import Runner
from sekisho.rego.builtins.templates.values import native
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, STRING, Function, Object
from sekisho.rego.values import Value


def _render(context: EvalContext, template: Value, data: Value) -> str:
    source = operands.string(template, 1)
    variables = operands.object_(data, 2)
    context.meter.charge(20 * len(source))
    rendered = Runner(source, context.meter).render(native(variables))
    return rendered.replace("<no value>", "<undefined>")


row(
    "strings.render_template",
    Function((STRING, Object(dynamic=(STRING, ANY))), STRING),
    _render,
    context=True,
    support=Support.PARTIAL,
    note="no complex numbers; templates call one another to a depth of 50, not 100,000",
)
