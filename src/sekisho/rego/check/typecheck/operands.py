"""What the operands and results of built-ins are called in messages: facts of OPA's own signatures."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from sekisho.rego import codes
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.typecheck.ops import type_text
from sekisho.rego.nodes import Module, Node
from sekisho.rego.types import Function, Type

# operands > result: the built-ins that call them so. Those without names are left out.
_NAMES: Final = """
x y > result: equal gt gte lt lte neq
x y > z: and array.concat bits.and bits.or bits.xor div minus mul or plus rem
x > y: abs base64.decode base64.encode base64url.decode base64url.encode base64url.encode_no_pad
    ceil crypto.md5 crypto.sha1 crypto.sha256 floor hex.decode hex.encode json.marshal json.unmarshal
    lower round strings.reverse units.parse units.parse_bytes upper urlquery.decode urlquery.encode
    yaml.marshal yaml.unmarshal
x > z: bits.negate
x s > z: bits.lsh bits.rsh
xs > y: intersection union
collection > n: count max min product sort sum
arr > flattened: array.flatten
arr start stop > slice: array.slice
arr > rev: array.reverse
x > num: to_number
pattern value > result: regex.match
pattern > result: regex.is_valid
pattern value number > output: regex.find_all_string_submatch_n regex.find_n
template value delimiter_start delimiter_end > result: regex.template_match
pattern value > output: regex.split
glob1 glob2 > result: regex.globs_match
search base > result: endswith startswith strings.any_prefix_match strings.any_suffix_match
delimiter collection > output: concat
number base > output: format_int
haystack needle > output: indexof indexof_n
value offset length > output: substring
haystack needle > result: contains
search substring > output: strings.count
x delimiter > ys: split
x delimiter n > ys: strings.split_n
x old new > y: replace
patterns value > output: strings.replace_n
s pattern value > output: regex.replace
value cutset > output: trim trim_left trim_right
value prefix > output: trim_prefix
value suffix > output: trim_suffix
value > output: trim_space
format values > output: sprintf
value vars > result: strings.render_template
str n > y: rand.intn
a b > range: numbers.range
a b step > range: numbers.range_step
k > output: uuid.rfc4122
uuid > result: uuid.parse
object paths > filtered: json.filter
object paths > output: json.remove
target patches > output: json.patch
super sub > result: object.subset
a b > output: object.union
objects > output: object.union_n
object keys > output: object.remove
object keys > filtered: object.filter
object key default > value: object.get
object > value: object.keys
x opts > y: json.marshal_with_options
x > result: base64.is_valid is_array is_boolean is_null is_number is_object is_set is_string
    json.is_valid yaml.is_valid
object > y: urlquery.encode_object
x > object: urlquery.decode_object
uri > output: uri.parse
uri > result: uri.is_valid
jwt > output: io.jwt.decode
jwt certificate > result: io.jwt.verify_eddsa io.jwt.verify_es256 io.jwt.verify_es384
    io.jwt.verify_es512 io.jwt.verify_ps256 io.jwt.verify_ps384 io.jwt.verify_ps512 io.jwt.verify_rs256
    io.jwt.verify_rs384 io.jwt.verify_rs512
jwt secret > result: io.jwt.verify_hs256 io.jwt.verify_hs384 io.jwt.verify_hs512
jwt constraints > output: io.jwt.decode_verify
headers payload key > output: io.jwt.encode_sign io.jwt.encode_sign_raw
> now: time.now_ns
layout value > ns: time.parse_ns
value > ns: time.parse_rfc3339_ns
duration > ns: time.parse_duration_ns
x > formatted timestamp: time.format
x > date: time.date
x > output: time.clock walk
x > day: time.weekday
ns years months days > output: time.add_date
ns1 ns2 > output: time.diff
certs > output: crypto.x509.parse_and_verify_certificates crypto.x509.parse_certificates
certs options > output: crypto.x509.parse_and_verify_certificates_with_options
csr > output: crypto.x509.parse_certificate_request
cert pem > output: crypto.x509.parse_keypair
pem > output: crypto.x509.parse_rsa_private_key
keys > output: crypto.parse_private_keys
x key > y: crypto.hmac.md5 crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512
mac1 mac2 > result: crypto.hmac.equal
graph initial > output: graph.reachable graph.reachable_paths
x > type: type_name
request > response: http.send
query schema > output: graphql.is_valid graphql.parse graphql.parse_and_verify
query > output: graphql.parse_query
schema > output: graphql.parse_schema graphql.schema_is_valid json.verify_schema
document schema > output: json.match_schema
request aws_config time_ns > signed_request: providers.aws.sign_req
filename rego > output: rego.parse_module
> chain: rego.metadata.chain
> output: opa.runtime rego.metadata.rule
note > result: trace
pattern delimiters match > result: glob.match
pattern > output: glob.quote_meta
cidr1 cidr2 > result: net.cidr_intersects
cidr > hosts: net.cidr_expand
cidr cidr_or_ip > result: net.cidr_contains
cidrs cidrs_or_ips > output: net.cidr_contains_matches
addrs > output: net.cidr_merge
cidr > result: net.cidr_is_valid
name > addrs: net.lookup_ip_addr
vsn > result: semver.is_valid
a b > result: semver.compare
"""


def operand_names(builtin: str) -> tuple[str, ...]:
    """The names of a built-in's operands, and of its result as the last; empty where there are none."""
    return _table().get(builtin, ())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in _NAMES.replace("\n    ", " ").strip().splitlines():
        signature, _, builtins = line.partition(":")
        operands, _, result = signature.partition(">")
        names = (*operands.split(), result.strip())
        for builtin in builtins.split():
            table[builtin] = names
    return table


def report_operands(
    errors: Errors,
    stage: Stage,
    message: str,
    at: tuple[Module, Node],
    *,
    have: Iterable[Type | None],
    want: str,
) -> None:
    """Report operands in OPA's form: the message, then what they are and what they should be."""
    lines = [f"have: ({', '.join(map(type_text, have))})", f"want: {want}"]
    code = codes.ARITY if stage is Stage.FUNCTIONS else codes.OPERANDS
    text = "\n\t".join([message, *lines])
    errors.add(stage, code, text, at, data={"message": message, "details": lines})


def operands_text(name: str, type: Function, *, result: bool) -> str:
    """The operands that a function takes, with their names where it is a built-in: ``(x: number, …)``."""
    types: list[Type] = list(type.args)
    names = operand_names(name)
    if result and type.result is not None:
        types.append(type.result)
        if names:
            names = (*names[: len(type.args)], *names[-1:])
    parts = [
        f"{names[i]}: {type_text(one)}" if i < len(names) and names[i] else type_text(one)
        for i, one in enumerate(types)
    ]
    if type.variadic is not None:
        parts.append(f"{type_text(type.variadic)}...")
    return f"({', '.join(parts)})"
