"""strings.render_template: Go's text/template (outcomes and texts checked against opa 1.19)."""

import pytest

from sekisho.lang.meter import Exhausted, Limits
from sekisho.rego.builtins.table import TABLE
from sekisho.rego.values import Number, Set

DATA = {
    "s": "str",
    "n": Number("1.50"),
    "i": 5,
    "z": 0,
    "b": True,
    "f": False,
    "nul": None,
    "l": [1, "a", [2]],
    "m": {"k": "v", "a": {"b": 1}},
    "e": [],
    "es": "",
    "h": '<a href="x">&\'</a>',
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{.n}} {{.l}} {{.m}} {{.b}} {{.e}}", "1.50 [1 a [2]] map[a:map[b:1] k:v] true []"),
        ("{{.nul}} {{.missing}} {{.m.x}} {{.missing.x}}", "<undefined> <undefined> <undefined> <undefined>"),
        ("a {{- .s -}} b{{- /* no */ -}} c", "astrbc"),
        (
            "{{if .z}}y{{else}}n{{end}}{{if .e}}y{{else}}n{{end}}{{if .nul}}y{{else}}n{{end}}",
            "ynn",
        ),  # "0" is text
        ("{{if .f}}a{{else if .b}}b{{else}}c{{end}}", "b"),
        ("{{range $i, $e := .l}}{{if $i}},{{end}}{{$e}}{{end}}", "1,a,[2]"),
        ("{{range $k, $v := .m}}{{$k}}={{$v}};{{end}}", "a=map[b:1];k=v;"),
        ("{{range .e}}x{{else}}none{{end}}{{range .missing}}x{{else}}none{{end}}", "nonenone"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ('{{range $i := .l}}{{if eq (print $i) "a"}}{{break}}{{end}}{{$i}}{{end}}', "1"),
        ("{{range .l}}{{continue}}x{{end}}", ""),
        ("{{with .m}}{{.k}}{{$.s}}{{end}}{{with .es}}x{{else with .s}}{{.}}{{end}}", "vstrstr"),
        ("{{$x := 1}}{{range .l}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ('{{define "T"}}<{{.}}>{{end}}{{template "T" .s}}{{template "T"}}', "<str><<undefined>>"),
        ('{{block "B" .s}}[{{.}}]{{end}}', "[str]"),
        ('{{"a" | printf "%s-%s" "b"}} {{.s | len}}', "b-a 3"),
        ("{{(index .l 0)}} {{(.m).a.b}}", "1 1"),
        ('{{index .m "a" "b"}} {{index .l 2 0}} {{slice .s 1 2}} {{slice .l 1}}', "1 2 t [a [2]]"),
        (
            '{{eq .i "5"}} {{eq .s "a" "str"}} {{ne 1 2}} {{lt 1 2}} {{ge "b" "b"}}',
            "true true true true true",
        ),
        ("{{and .b .z}} {{or .f .s}} {{not .b}}", "0 str false"),
        (
            '{{print 1 2 "a" "b" .b nil}}|{{println .s 1}}',
            "1 2ab true <nil>|str 1\n".replace("ab true", "abtrue"),
        ),
        ("{{html .h}}", "&lt;a href=&#34;x&#34;&gt;&amp;&#39;&lt;/a&gt;"),
        ('{{js "<\'\\n"}} {{urlquery "a b"}}', "\\u003C\\'\\u000A a+b"),
        ('{{printf "%d|%v|%q|%5s|%05d|%x|%6.2f|%t" .i .i .s .s 42 255 3.14159 true}}', None),
        ('{{printf "%T %T %T" .i .l 1}}', "json.Number []interface {} int"),
        ('{{printf "%s %d" .l .b}} {{printf "x" 1}} {{printf "%s"}}', None),
        ("{{true}} {{1.5}} {{1e3}} {{0x10}} {{017}} {{'a'}} {{`raw`}}", "true 1.5 1000 16 15 97 raw"),
        ("<no value>", "<undefined>"),
    ],
)
def test_render(call, template, text):
    if text is None:
        text = {
            '{{printf "%d': '%!d(json.Number=5)|5|"str"|  str|00042|ff|  3.14|true',
            '{{printf "%s': "[1 a [2]] %!d(bool=true) x%!(EXTRA int=1) %!s(MISSING)",
        }[template[:12]]
    assert call("strings.render_template", template, DATA) == text


def test_sets_are_arrays(call):
    assert call("strings.render_template", "{{.x}}", {"x": Set.of([2, 1])}) == "[1 2]"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{nofunc}}", '1: function "nofunc" not defined'),
        ("\n{{", "2: unclosed action"),
        ("{{if}}", "1: missing value for if"),
        ("{{end}}", "1: unexpected {{end}}"),
        ("{{if .b}}", "1: unexpected EOF"),
        ("{{break}}", "1: {{break}} outside {{range}}"),
        ("{{$x}}", '1: undefined variable "$x"'),
        ('{{.s | "a"}}', "1: non executable command in pipeline stage 2"),
        ("{{ (.s }}", "1: unclosed left paren"),
        ("{{ ) }}", "1: unexpected right paren"),
        ('{{ "abc', "1: unterminated quoted string"),
        ("{{ 'ab' }}", "1: malformed character constant: 'ab'"),
        ("{{.s@}}", "1: bad character U+0040 '@'"),
        ("{{#}}", '1: unexpected "#" in command'),
        ("{{range $a, $b, $c := .l}}{{end}}", "1: too many declarations in range"),
        ("{{ .s }}{{/* x", "1: unclosed comment"),
        ("{{" + "(" * 300 + "1" + ")" * 300 + "}}", "1: max expression depth exceeded"),
        (
            "{{eq .i 5}}",
            (
                '1:2: executing "template" at <eq .i 5>: error calling eq: incompatible types for comparison: '
                "json.Number and int"
            ),
        ),
        (
            "a\n  {{.s.x}}",
            '2:6: executing "template" at <.s.x>: can\'t evaluate field x in type interface {}',
        ),
        ("{{.nul.x}}", '1:6: executing "template" at <.nul.x>: nil pointer evaluating interface {}.x'),
        ("{{range .s}}{{end}}", '1:8: executing "template" at <.s>: range can\'t iterate over str'),
        (
            "{{index .l 9}}",
            '1:2: executing "template" at <index .l 9>: error calling index: index out of range: 9',
        ),
        ('{{template "x"}}', '1:11: executing "template" at <{{template "x"}}>: template "x" not defined'),
        ("{{1 2}}", '1:2: executing "template" at <1>: can\'t give argument to non-function 1'),
        ("{{not}}", '1:2: executing "template" at <not>: wrong number of args for not: want 1 got 0'),
        (
            '{{define "r"}}{{template "r"}}{{end}}{{template "r"}}',
            '1:25: executing "r" at <{{template "r"}}>: exceeded maximum template depth (50)',
        ),
    ],
)
def test_what_a_template_cannot_do(call, template, message):
    assert (
        call("strings.render_template", template, DATA) == f"eval_builtin_error: template: template:{message}"
    )


@pytest.mark.parametrize(
    "template",
    [
        "{{range 1000000000}}{{end}}",
        "{{range 99999}}{{range 99999}}{{end}}{{end}}",
        '{{range 99999999}}{{printf "%999999d" 1}}{{end}}',
    ],
)
def test_endless_templates_are_stopped(context, template):
    with pytest.raises(Exhausted):
        TABLE["strings.render_template"].function(context(limits=Limits(seconds=0.3)), template, {})
