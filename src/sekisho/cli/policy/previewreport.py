"""What ``policy preview`` prints: text for people, JSON of a documented shape, Rollouts to apply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from sekisho.audit import Comparison, Entry, Key, Preview, denied, key_of
from sekisho.audit.preview import Effect, Standing, Way
from sekisho.kube.ladder import API_VERSION
from sekisho.kube.review import Rung

SHOWN: Final = 50
"""Objects, steps and differences that text shows; the rest is counted. JSON has all of them."""


def write_preview(found: Preview, output: str) -> None:
    """Print a preview."""
    if output == "json":
        _json(preview_json(found))
    elif output == "rollout":
        from sekisho.manifest.write import dump_all

        click.echo(dump_all(rollouts(found)), nl=False)
    else:
        click.echo("\n".join(_preview_lines(found)))


def write_comparison(found: Comparison, output: str) -> None:
    """Print a comparison."""
    if output == "json":
        _json(comparison_json(found))
    else:
        click.echo("\n".join(_comparison_lines(found)))


def _json(value: Any) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def rollouts(found: Preview) -> Iterator[dict[str, Any]]:
    """A Rollout for each policy that is not safe to deny: it holds it at warn where it would refuse."""
    for row in found.standings:
        if not row.held:
            continue
        kind, _, name = row.policy.name.rpartition("/")
        spec: dict[str, Any] = {
            "policies": [row.policy.name],
            "rung": Rung.WARN.word,
            "reason": f"{_count(row.denied - row.today, 'object')} would be refused",
        }
        # An object without a namespace is in none that a Rollout can list.
        if "" not in row.held:
            spec["namespaces"] = list(row.held)
        yield {
            "apiVersion": API_VERSION,
            "kind": "Rollout",
            "metadata": {"name": f"hold-{kind.lower()}-{name}"[:253]},
            "spec": spec,
        }


def _preview_lines(found: Preview) -> Iterator[str]:
    policies = _count(len(found.standings), "policy", "policies")
    yield f"{_count(len(found.ledger.entries), 'object')}, {policies}; nothing is changed."
    yield ""
    yield from _table(
        ("RUNG", "REFUSED", "WARNED", "NOTED"),
        [
            ("today", *_sizes(found.today)),
            *((rung.word, *_sizes(found.effects[rung])) for rung in Rung),
        ],
    )
    if found.unjudged:
        yield ""
        yield f"{len(found.unjudged)} objects could not be judged; they would be refused on every rung:"
        yield from _shown([f"  {_name(row)}" for row in found.unjudged])
    if found.standings:
        yield ""
        yield from _table(
            ("POLICY", "NOW", "WOULD REFUSE", "WAIVED", "NEXT SAFE RUNG"),
            [
                (row.policy.name, row.policy.word, str(row.denied), str(row.waived), _next(row))
                for row in found.standings
            ],
        )
    refused = found.effects[Rung.DENY].denied
    if refused:
        yield from _refused_lines(refused, found.owners)
        yield ""
        yield f"The shortest way to deny: {_count(len(found.ways), 'step')}"
        yield from _shown([f"  {_way(row)}" for row in found.ways])


def _refused_lines(refused: Sequence[Entry], owners: Mapping[Key, str]) -> Iterator[str]:
    yield ""
    yield "On deny these would be refused:"
    yield f"  by namespace: {_counts(row.object.namespace for row in refused)}"
    yield f"  by owner: {_counts(owners[key_of(row.object)] for row in refused)}"
    yield ""
    lines = []
    for row in refused:
        owner = owners[key_of(row.object)]
        owner = f" (owner {owner})" if owner else ""
        lines.append(f"  {_name(row)}{owner}: {', '.join(_policies(row))}")
    yield from _shown(lines)


def _comparison_lines(found: Comparison) -> Iterator[str]:
    newly, freed = tuple(found.newly_denied()), tuple(found.newly_allowed())
    yield (
        f"{_count(len(found.new.entries), 'object')}: {len(newly)} that pass today would be refused, "
        f"{len(freed)} that are refused today would pass; {_count(len(found.differences), 'difference')}."
    )
    for title, rows in (("Newly refused:", newly), ("No longer refused:", freed)):
        if rows:
            yield ""
            yield title
            yield from _shown([f"  {_name(row)}" for row in rows])
    if found.differences:
        yield ""
        yield from _shown(
            [
                f"{row.change.value:<8}{_rungs(row.before, row.after):<18}{_name(row.entry)}: "
                f"{row.finding.message()}"
                for row in found.differences
            ]
        )


def _rungs(before: Rung | None, after: Rung | None) -> str:
    return " -> ".join(rung.word for rung in (before, after) if rung is not None)


def preview_json(found: Preview) -> dict[str, Any]:
    """The documented shape of a preview."""
    return {
        "objects": len(found.ledger.entries),
        "today": _effect_json(found.today, found.owners),
        "rungs": {rung.word: _effect_json(found.effects[rung], found.owners) for rung in Rung},
        "policies": [_standing_json(row) for row in found.standings],
        "steps": [_way_json(row) for row in found.ways],
        "couldNotAsk": [_object_json(row) for row in found.unjudged],
    }


def _effect_json(effect: Effect, owners: Mapping[Key, str]) -> dict[str, Any]:
    return {
        "denied": [
            {**_object_json(row), "owner": owners[key_of(row.object)], "policies": _policies(row)}
            for row in effect.denied
        ],
        "warned": len(effect.warned),
        "noted": len(effect.noted),
        "byNamespace": dict(sorted(Counter(row.object.namespace for row in effect.denied).items())),
        "byOwner": dict(sorted(Counter(owners[key_of(row.object)] for row in effect.denied).items())),
        "byPolicy": dict(sorted(Counter(name for row in effect.denied for name in _policies(row)).items())),
    }


def _standing_json(row: Standing) -> dict[str, Any]:
    return {
        "policy": row.policy.name,
        "action": row.policy.word,
        "rung": row.policy.rung.word,
        "wouldDeny": row.denied,
        "deniedToday": row.today,
        "waived": row.waived,
        "safeRung": row.safe.word,
        "nextSafeRung": row.next.word if row.next is not None else None,
        "unsafeNamespaces": list(row.held),
    }


def _way_json(way: Way) -> dict[str, Any]:
    covers = [{**_key_json(key), "policy": policy} for key, policy in way.covers]
    if way.object is not None:
        return {"fix": _key_json(way.object), "covers": covers}
    return {"waive": {"policy": way.policy, "namespace": way.namespace}, "covers": covers}


def comparison_json(found: Comparison) -> dict[str, Any]:
    """The documented shape of a comparison."""
    return {
        "objects": len(found.new.entries),
        "newlyDenied": [_object_json(row) for row in found.newly_denied()],
        "newlyAllowed": [_object_json(row) for row in found.newly_allowed()],
        "differences": [
            {
                "change": row.change.value,
                **_object_json(row.entry),
                "policy": row.finding.policy,
                "message": row.finding.diagnostic.message,
                "before": row.before.word if row.before is not None else None,
                "after": row.after.word if row.after is not None else None,
                "denied": denied(row.entry),
            }
            for row in found.differences
        ],
    }


def _object_json(entry: Entry) -> dict[str, str]:
    object = entry.object
    name = object.name or object.generate_name
    return {
        "apiVersion": object.api_version,
        "kind": object.kind,
        "namespace": object.namespace,
        "name": name,
    }


def _key_json(key: Key) -> dict[str, str]:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


def _policies(entry: Entry) -> list[str]:
    return list(dict.fromkeys(row.policy for row in entry.findings() if not row.waiver))


def _name(entry: Entry) -> str:
    return str(entry.object.ref())


def _key_name(key: Key) -> str:
    return f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"


def _way(way: Way) -> str:
    objects = _count(len({key for key, _ in way.covers}), "object")
    if way.object is not None:
        policies = ", ".join(dict.fromkeys(policy for _, policy in way.covers))
        return f"mend {_key_name(way.object)} for {policies} ({_count(len(way.covers), 'violation')})"
    where = f" in the namespace {way.namespace}" if way.namespace else " on objects without a namespace"
    return f"waive {way.policy}{where} ({objects})"


def _next(row: Standing) -> str:
    if row.policy.rung is Rung.DENY:
        return "-"
    return row.next.word if row.next is not None else f"not yet ({_count(len(row.held), 'namespace')})"


def _sizes(effect: Effect) -> tuple[str, str, str]:
    return str(len(effect.denied)), str(len(effect.warned)), str(len(effect.noted))


def _counts(names: Iterable[str]) -> str:
    return ", ".join(f"{name or '(none)'} {count}" for name, count in Counter(names).most_common())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _shown(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"  … and {len(lines) - SHOWN} more; -o json has all of them"


def _count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"
