"""``sekisho rego test``: run the tests among Rego sources."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.network import network_option
from sekisho.cli.opa import Duration, OpaCommand, bundle_option, source_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.rego.cover import Recorder
    from sekisho.rego.nodes import Module
    from sekisho.rego.testing import Result, Suite, Test
    from sekisho.rego.values import Value

FORMS: Final = ("pretty", "json", "junit")
SECONDS: Final = 5.0
"""How long a test may take when ``--timeout`` does not say; OPA's figure."""


@click.command(cls=OpaCommand, epilog="Example: sekisho rego test -v policies/")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--verbose", "-v", is_flag=True, help="Show every test, and the notes of those that failed.")
@click.option(
    "--format", "-f", "form", type=click.Choice(FORMS), default="pretty", help="Form of the report."
)
@click.option("--run", "-r", "pattern", metavar="REGEX", help="Only tests whose full name matches.")
@click.option(
    "--timeout",
    type=Duration(),
    default=SECONDS,
    metavar="DURATION",
    help="Stop a test after this time (5s).",
)
@click.option("--count", type=click.IntRange(1), default=1, help="How often to run the tests.")
@click.option("--fail-on-empty", is_flag=True, help="Exit with 1 if there are no tests.")
@click.option(
    "--exit-zero-on-skipped", "-z", "skipped_pass", is_flag=True, help="Skipped tests are no failures."
)
@click.option(
    "--sort", type=click.Choice(["none", "duration"]), default="none", help="Order of the json report."
)
@click.option("--coverage", "-c", is_flag=True, help="Report what the tests reach, instead of the tests.")
@click.option(
    "--threshold",
    type=float,
    default=0.0,
    metavar="PERCENT",
    help="Report coverage, and exit with 2 if less than this share of the lines is covered.",
)
@click.option("--parallel", "-p", type=int, hidden=True, expose_value=False)
@bundle_option
@network_option("A host (HOST or HOST:PORT, * for all) that http.send may ask; repeatable.")
@source_options
def command(
    *, paths: tuple[str, ...], form: str, verbose: bool, pattern: str | None, count: int, **options: Any
) -> int:
    """Run the tests in the files and directories at PATH: the rules whose names begin with test_.

    Tests called todo_test_ are skipped. Exit status: 0; 1 if the sources cannot be used, or for wrong usage;
    2 if a test failed or was skipped, or if too few lines are covered. With --coverage, 1 if a test failed.
    """
    if not 0 <= options["threshold"] <= 100:
        print("Code coverage threshold must be between 0 and 100", file=sys.stderr)
        return 1
    from sekisho.cli.rego.text import tell
    from sekisho.diag import DiagnosticError

    try:
        loaded = _load(paths, options)
    except DiagnosticError as error:
        tell(error.diagnostics)
        return 1
    suite, data = loaded.suite, loaded.data
    tests = suite.tests if pattern is None else _matching(suite.tests, pattern)
    if loaded.covered is not None:
        return _cover(loaded, tests, verbose=verbose, **options)
    for _ in range(count):
        results = _run(
            suite, data, tests, form=form, verbose=verbose, by_duration=options["sort"] == "duration"
        )
        if not results and options["fail_on_empty"]:
            print("no tests were run", file=sys.stderr)
            return 1
        if any(_failed(result, skipped_pass=options["skipped_pass"]) for result in results):
            return 2
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """What was loaded; ``covered`` takes what tests reach, if that is asked for."""

    modules: dict[str, Module]
    suite: Suite
    data: Value
    covered: Recorder | None


def _load(paths: Sequence[str], options: dict[str, Any]) -> _Loaded:
    from sekisho import rego
    from sekisho.cli.network.transport import with_network
    from sekisho.cli.rego.files import load_files, read_capabilities
    from sekisho.cli.rego.text import tell
    from sekisho.rego.cover import Recorder
    from sekisho.rego.testing import Suite

    dialect = rego.Dialect.V0 if options["v0_compatible"] else rego.Dialect.V1
    capabilities = with_network(read_capabilities(options["capabilities"]), options["allow_network"])
    files = load_files(
        () if options["bundle"] else paths,
        dialect=dialect,
        ignore=options["ignore"],
        bundles=paths if options["bundle"] else (),
    )
    files.raise_errors()
    tell(files.problems)
    covered = Recorder() if options["coverage"] or options["threshold"] > 0 else None
    suite = Suite.of(
        files.modules,
        dialect=dialect,
        capabilities=capabilities,
        seconds=options["timeout"] or SECONDS,
        exists=files.exists,
        covered=covered,
    )
    return _Loaded(modules=files.modules, suite=suite, data=files.data, covered=covered)


def _cover(
    loaded: _Loaded,
    tests: Sequence[Test],
    *,
    verbose: bool,
    threshold: float,
    skipped_pass: bool,
    **options: Any,
) -> int:
    """Run the tests and report what they reach, unless one fails."""
    from sekisho.cli.rego import report as regoreport
    from sekisho.cli.rego.cover import write_coverage
    from sekisho.rego.testing import Outcome

    results = list(loaded.suite.run(loaded.data, tests=tests))
    wrong = [result for result in results if result.outcome in (Outcome.FAIL, Outcome.ERROR)]
    if wrong:
        regoreport.pretty(wrong, sys.stdout, verbose=verbose)
        return 1
    assert loaded.covered is not None
    modules = {name: loaded.modules[name] for name in sorted(loaded.modules)}
    if not write_coverage(modules, loaded.covered, threshold=threshold, verbose=verbose):
        return 2
    if not results and options["fail_on_empty"]:
        print("no tests were run", file=sys.stderr)
        return 1
    return 2 if any(_failed(result, skipped_pass=skipped_pass) for result in results) else 0


def _matching(tests: Sequence[Test], pattern: str) -> list[Test]:
    """The tests whose full name (``data.package.test_x``) an RE2 pattern is found in."""
    import re2

    settings = re2.Options()
    settings.log_errors = False
    try:
        compiled = re2.compile(pattern, settings)
    except re2.error as error:
        text = error.args[0] if error.args else error
        detail = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        raise click.UsageError(f"--run: {pattern!r} is no regular expression: {detail}") from None
    return [test for test in tests if compiled.search(test.full_name)]


def _run(
    suite: Suite, data: Value, tests: Sequence[Test], *, form: str, verbose: bool, by_duration: bool
) -> list[Result]:
    from sekisho.cli.rego import report as regoreport

    running = suite.run(data, tests=tests)
    if form == "pretty":
        return regoreport.pretty(running, sys.stdout, verbose=verbose)
    results = list(running)
    if by_duration:
        results.sort(key=lambda result: -result.duration)
    if form == "json":
        regoreport.json(results, sys.stdout)
    else:
        regoreport.junit(results, sys.stdout)
    return results


def _failed(result: Result, *, skipped_pass: bool) -> bool:
    from sekisho.rego.testing import Outcome

    passing = (Outcome.PASS, Outcome.SKIPPED) if skipped_pass else (Outcome.PASS,)
    return result.outcome not in passing
