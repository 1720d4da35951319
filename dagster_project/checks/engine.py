"""Runs declared checks through Great Expectations, pushed down into DuckDB. Not here: any check, anything of Dagster.

Everything is read through views in an in-memory database (see `views`), which is closed, and every lock with it, when
the checks have run. Great Expectations is imported when checks run, never before: it takes seconds.
"""

from __future__ import annotations

import functools
import math
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any
from uuid import uuid4

from dagster_project.checks.declarations import ARCHIVE_FILES, FAILING_ROWS, WHY, Check, Outcome, Stage, Status
from dagster_project.checks.views import CheckedData

ROWS_SHOWN = 20
_N_FAILING = "n_failing_rows"
_IMPORTING = RLock()
# How DuckDB and Great Expectations say that a column or a table is not there. Anything else is a crash.
_MISSING = re.compile(
    r"Referenced (column|table) .* not found|does not have a column named|Table with name .* does not exist"
    r"|column .* in BatchData does not exist|The table .* does not exist",
    re.IGNORECASE | re.DOTALL,
)


def run(stage: Stage, data: CheckedData, only: Collection[tuple[str, str]] | None = None) -> list[Outcome]:
    """Run the stage's checks (or `only` those of the given (table, name) pairs) and return an outcome for each.

    Never raises for what it finds, nor when Great Expectations fails: a crash is an outcome too.
    """
    checks = [check for check in stage.checks if only is None or (check.table, check.name) in only]
    absent = [check for check in checks if check.requires in data.absent]
    present = [check for check in checks if check.requires not in data.absent]
    outcomes = [
        Outcome(
            check.name,
            check.table,
            check.severity,
            "passed",
            f"nothing to compare with: {data.absent[str(check.requires)]}",
        )
        for check in absent
    ]
    try:
        with _database(data) as (url, connection):
            unprepared = _prepare(stage, present, connection)
            ready = []
            for check in present:
                lost = [error for name, error in unprepared.items() if _mentions(_text_of(check), name)]
                outcomes += [_broken(check, error) for error in lost[:1]]
                ready += [] if lost else [check]
            outcomes += _validate(ready, stage.keys, url, connection)
    except Exception as error:  # whatever it is, every check that was asked for must have an outcome
        done = {(outcome.table, outcome.check) for outcome in outcomes}
        outcomes += [_broken(check, error) for check in checks if (check.table, check.name) not in done]
    order = {(check.table, check.name): place for place, check in enumerate(checks)}
    return sorted(outcomes, key=lambda outcome: order[outcome.table, outcome.check])


@contextmanager
def _database(data: CheckedData) -> Iterator[tuple[str, Any]]:
    """An in-memory database that this process can open again under the URL, filled with what the checks look at.

    Great Expectations opens the same database by its name, and this connection keeps it alive. Both are opened through
    SQLAlchemy: its driver sets options, and DuckDB refuses a second connection with other options.
    """
    import sqlalchemy

    url = f"duckdb:///:memory:checks_{uuid4().hex}"
    engine = sqlalchemy.create_engine(url)
    pooled = engine.raw_connection()
    try:
        connection: Any = pooled.driver_connection
        data.setup(connection)
        connection.execute(f"create table if not exists {ARCHIVE_FILES} (archive_entry varchar, file varchar)")
        yield url, connection
    finally:
        pooled.close()
        engine.dispose()


def _prepare(stage: Stage, checks: Sequence[Check], connection: Any) -> dict[str, Exception]:
    """Compute the shared queries that the checks need; return the errors of those that could not be.

    A query may read those before it, and then fails with them.
    """
    needed: set[str] = set()
    for name in reversed(list(stage.prepare)):
        readers = [_text_of(check) for check in checks] + [stage.prepare[other] for other in needed]
        if any(_mentions(text, name) for text in readers):
            needed.add(name)
    errors: dict[str, Exception] = {}
    for name in (name for name in stage.prepare if name in needed):
        query = stage.prepare[name]
        try:
            if broken := [error for other, error in errors.items() if _mentions(query, other)]:
                raise broken[0]
            connection.execute(f"create table {name} as {query}")
        except Exception as error:
            errors[name] = error
    return errors


def _text_of(check: Check) -> str:
    """Everything in which a check may name a table."""
    return " ".join([check.reads, *map(str, check.expectations), check.facts or ""])


def _mentions(text: str, table: str) -> bool:
    return re.search(rf"\b{re.escape(table)}\b", text) is not None


def _validate(
    checks: Sequence[Check], keys: Mapping[str, tuple[str, ...]], url: str, connection: Any
) -> Iterator[Outcome]:
    if not checks:
        return
    with _datasource(url) as datasource:
        for table in dict.fromkeys(check.reads for check in checks):
            of_table = [check for check in checks if check.reads == table]
            try:
                results = _validate_table(datasource, table, of_table, keys.get(table, ()))
            except Exception as error:
                yield from (_broken(check, error) for check in of_table)
                continue
            for check in of_table:
                yield _outcome(check, results.get((check.table, check.name), []), connection)


def import_great_expectations() -> Any:
    """Great Expectations, without the libraries of one of its expectations, which draws charts: half its import time.

    What stands in for them is in no module's way: SciPy's statistics are loaded when they are used, Altair is there
    again for whoever imports it after this.
    """
    with _IMPORTING:
        if "great_expectations" not in sys.modules:
            _load_when_used("scipy.stats")
            charts = None if "altair" in sys.modules else sys.modules.setdefault("altair", _Unused("altair"))
            # PySpark's client takes a process without a main file, as a run of the UI is, for a doctest and ends it.
            modules: Any = sys.modules
            client = "pyspark.sql.connect"
            hidden = client not in modules and modules.setdefault(client) is None
            try:
                import great_expectations.expectations
            finally:
                if hidden:
                    del modules[client]
                if charts is not None:
                    del sys.modules["altair"]
        import great_expectations

        return great_expectations


class _Unused(ModuleType):
    """A module of which only names in annotations are read; of itself it says nothing to who looks at all modules."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Any


def _load_when_used(name: str) -> None:
    parent, _, child = name.rpartition(".")
    package = import_module(parent)
    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(package, child, module)


@contextmanager
def _datasource(url: str) -> Iterator[Any]:
    """One ephemeral context for the whole stage: silent, offline, and with results that outlive their connection."""
    gx = import_great_expectations()
    import sqlalchemy
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.variables.analytics_enabled = False
    datasource = context.data_sources.add_sql("checks", connection_string=url)
    engine = datasource.get_execution_engine().engine

    # Great Expectations returns the connection to the pool before it fetches, and DuckDB then has no rows any more
    # ("list index out of range"): so fetch at once. Every query here is an aggregate or limited, hence small.
    @sqlalchemy.event.listens_for(engine, "after_cursor_execute")
    def _buffer(_connection, cursor, _statement, _parameters, execution, _many):  # type: ignore[no-untyped-def]
        if cursor.description:
            execution.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                cursor, cursor.description, initial_buffer=cursor.fetchall()
            )

    try:
        yield datasource
    finally:
        engine.dispose()
        datasource.get_engine().dispose()


def _validate_table(
    datasource: Any, table: str, checks: Sequence[Check], key: Sequence[str]
) -> dict[tuple[str, str], list[Any]]:
    """Validate one table against the expectations of all its checks; the results by (table, name) of the check."""
    gx = import_great_expectations()
    expectations = [
        _expectation(expect.kind, {**expect.arguments, "meta": {"check": [check.table, check.name, place]}})
        for check in checks
        for place, expect in enumerate(check.expectations)
    ]
    batch = datasource.add_table_asset(table, table_name=table).add_batch_definition_whole_table("all").get_batch()
    # BASIC counts the failing rows and gives the query that finds them; COMPLETE would fetch them all.
    result_format: dict[str, Any] = {
        "result_format": "BASIC",
        "partial_unexpected_count": ROWS_SHOWN,
        "return_unexpected_index_query": True,
    }
    if key:
        result_format["unexpected_index_column_names"] = list(key)
    suite = gx.ExpectationSuite(name=table, expectations=expectations)
    by_check: dict[tuple[str, str], list[Any]] = {}
    for result in batch.validate(suite, result_format=result_format).results:
        of_table, name, _ = result.expectation_config.meta["check"]
        by_check.setdefault((of_table, name), []).append(result)
    return by_check


def _expectation(kind: str, arguments: Mapping[str, Any]) -> Any:
    import great_expectations.expectations as expectations

    if kind != FAILING_ROWS:
        return getattr(expectations, kind)(**arguments)
    # Counted aside, not by a window over all rows: of no rows, DuckDB 1.5.5 with several threads sometimes dies in one.
    query = (
        f"select * from (with failing as materialized ({arguments['unexpected_rows_query']}) "
        f"select *, (select cast(sum({arguments['counted_by']}) as bigint) from failing) as {_N_FAILING} from failing) "
        f"as counted limit {ROWS_SHOWN}"
    )
    return _failing_rows_class()(unexpected_rows_query=query, meta=arguments["meta"])


@functools.cache
def _failing_rows_class() -> Any:
    """UnexpectedRowsExpectation with one query instead of two: the first failing rows, each with the number of all.

    The class of Great Expectations runs its query twice, for the rows and for their count, and gives the rows only in
    the result format that fetches all of them.
    """
    from great_expectations.expectations import UnexpectedRowsExpectation

    class FailingRows(UnexpectedRowsExpectation):
        metric_dependencies = ("unexpected_rows_query.table",)

        def _validate(self, metrics, runtime_configuration=None, execution_engine=None):  # type: ignore[no-untyped-def]
            rows = metrics["unexpected_rows_query.table"]
            counted = int(rows[0][_N_FAILING]) if rows else 0
            shown = [{name: value for name, value in row.items() if name != _N_FAILING} for row in rows]
            return {
                "success": not rows,
                "result": {"observed_value": counted, "unexpected_count": counted, "details": {"failing_rows": shown}},
            }

    return FailingRows


def _outcome(check: Check, results: Sequence[Any], connection: Any) -> Outcome:
    """The worst of the results of the check's expectations, with the failing rows of all."""
    if len(results) != len(check.expectations):
        lost = f"{len(check.expectations)} expectations were declared but {len(results)} reported"
        return _broken(check, RuntimeError(lost))
    errors = [error for result in results if (error := _exception_of(result))]
    if errors:
        return _broken(check, RuntimeError("; ".join(dict.fromkeys(errors))))
    try:
        facts = _facts(check, connection)
        rows = [row for result in results if not result.success for row in _failing_rows(result, connection)]
    except Exception as error:
        return _broken(check, error)
    failed = [result for result in results if not result.success]
    n_failed = sum(_number_failed(result) for result in failed)
    message = _told(n_failed, rows) if failed else "passed"
    status: Status = "failed" if failed else "passed"
    return Outcome(check.name, check.table, check.severity, status, message, tuple(rows[:ROWS_SHOWN]), n_failed, facts)


def _told(n_failed: int, rows: Sequence[Mapping[str, Any]]) -> str:
    """How many rows failed, and what the first one that can says in its column `why`."""
    sentences = [str(row[WHY]) for row in rows if row.get(WHY) is not None]
    count = f"{n_failed:,} failing {'row' if n_failed == 1 else 'rows'}"
    return f"{count}: {sentences[0]}" if sentences else count


def _exception_of(result: Any) -> str | None:
    """The exception that kept an expectation from deciding, if any.

    `exception_info` has two shapes: one record, or one record per metric that failed.
    """
    info = result.exception_info or {}
    records = [info] if "raised_exception" in info else [value for value in info.values() if isinstance(value, dict)]
    texts = [str(record.get("exception_message")) for record in records if record.get("raised_exception")]
    return "; ".join(dict.fromkeys(texts)) or None


def _number_failed(result: Any) -> int:
    # An expectation about the table as a whole (such as its number of rows) counts no rows: it fails once.
    return int(result.result.get("unexpected_count") or 1)


def _failing_rows(result: Any, connection: Any) -> list[dict[str, Any]]:
    """The first failing rows: as the query gave them; by key, or else by value, for a column expectation."""
    found = result.result
    if "details" in found:
        return [_plain(row) for row in found["details"]["failing_rows"]]
    query = found.get("unexpected_index_query")
    # Some of these queries come with their values left out, as parameters that only Great Expectations knows.
    if query is not None and not re.search(r"\$\d", query):
        return _fetch(connection, f"{query.strip().rstrip(';')} limit {ROWS_SHOWN}")
    column = result.expectation_config.kwargs.get("column", "value")
    if "partial_unexpected_list" in found:
        # Of an expectation about several columns each value is a row by itself.
        values = [each if isinstance(each, Mapping) else {column: each} for each in found["partial_unexpected_list"]]
        rows = [_plain(each) for each in values]
        return [row for place, row in enumerate(rows) if row not in rows[:place]]
    return [_plain({"observed_value": found.get("observed_value")})]


def _facts(check: Check, connection: Any) -> dict[str, Any]:
    if check.facts is None:
        return {}
    rows = _fetch(connection, check.facts.format(batch=check.reads))
    return rows[0] if rows else {}


def _fetch(connection: Any, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [_plain(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with text, numbers, booleans and nulls only."""
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> str | int | float | bool | None:
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON, in which results are stored, has no such numbers
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _broken(check: Check, error: Exception) -> Outcome:
    """The outcome of a check that could not decide: a table or column is missing, or the check crashed."""
    text = " ".join(str(error).split())[:2000]
    if _MISSING.search(text):
        return Outcome(check.name, check.table, check.severity, "missing", f"table or column missing: {text}")
    message = f"check crashed: {type(error).__name__}: {text}"
    return Outcome(check.name, check.table, check.severity, "crashed", message)
