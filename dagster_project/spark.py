"""Spark as the engine that computes the models: the session, what it reads, and what DuckDB sees of its tables.

dbt computes in a Spark session of this process; checks, metadata and publishing stay on DuckDB, which reads the Parquet
files that Spark wrote through views in its warehouse file. What belongs here: both ends of that seam. Not here: the
models' SQL and how Spark writes a year (see `dbt/macros`), and the running of dbt (see `dbt_project`).

PySpark is an extra of the package: it is imported only where the engine is Spark.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import duckdb

from dagster_project.errors import EnvironmentProblem, SettingError
from dagster_project.settings import DUCKDB, SPARK, Settings
from dagster_project.sql import identifier, parquet

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXTRA = "spark"
LEAST_JAVA = 17
_SCHEMAS = ("staging", "intermediate", "marts")
# dbt's names of types that DuckDB spells otherwise.
_TYPES = {"string": "varchar", "float": "real"}


def require(settings: Settings) -> None:
    """EnvironmentProblem unless PySpark, dbt's adapter and Java are there."""
    missing = [name for name in ("pyspark", "dbt.adapters.spark") if not _installed(name)]
    if missing:
        raise EnvironmentProblem(
            "setting CHOKEPOINT_ENGINE (spark)",
            found=f"no {' and no '.join(missing)} in this environment",
            expected=f"the packages of the extra `{EXTRA}`",
            remedy=f"Install them (pip install 'chokepoint[{EXTRA}]', or the locked versions of "
            "requirements-spark.lock), or set CHOKEPOINT_ENGINE=duckdb.",
        )
    found = _java()
    if found < LEAST_JAVA:
        raise EnvironmentProblem(
            "setting CHOKEPOINT_ENGINE (spark)",
            found=f"Java {found}" if found else "no Java that starts",
            expected=f"Java {LEAST_JAVA} or newer, in JAVA_HOME or on the path",
            remedy=f"Install a Java runtime (Debian: openjdk-{LEAST_JAVA}-jre-headless), or set "
            "CHOKEPOINT_ENGINE=duckdb.",
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _java() -> int:
    """The version of the Java that Spark would start; 0 where none starts."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else "java"
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(version[1]) if version else 0


# ---------------------------------------------------------------------------- the session


def properties(settings: Settings) -> dict[str, str]:
    """The session's properties: ours, those of the user's profile over them, and last what results depend on."""
    own = folder(settings)
    defaults = {
        "spark.app.name": "chokepoint",
        "spark.master": "local[*]",
        "spark.sql.warehouse.dir": f"file:{own}",  # Spark takes the text as it is, blanks and % too
        # Tables outlive the process: the embedded metastore is one folder, used by one process at a time.
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={own / 'metastore'};create=true",
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={own / 'derby.log'}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # The statistics of a table decide about broadcasts as soon as it is written.
        "spark.sql.statistics.size.autoUpdate.enabled": "true",
        "spark.sql.sources.default": "parquet",
    }
    fixed = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",  # a number out of range stops the run, as on DuckDB
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.sources.partitionOverwriteMode": "STATIC",  # a year without rows is emptied
    }
    given = profile(settings.spark_conf)
    if given.get("spark.master", "local").startswith("local"):  # nobody else need reach the driver
        defaults |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return {**defaults, **given, **fixed}


def profile(path: Path | None) -> dict[str, str]:
    """The properties of a file as Spark's own `spark-defaults.conf`: a name, then blanks or `=`, then the value."""
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"setting CHOKEPOINT_SPARK_CONF ({path})",
            found=str(error),
            expected="a text file with a Spark property in each line, as spark-defaults.conf",
            remedy="Correct the path, or leave the setting out: Spark then runs on this machine.",
        ) from None
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"\s*(spark\.[^\s=]+)(?:\s*=\s*|\s+)(.*?)\s*", line)
        if match is None:
            raise SettingError(
                f"setting CHOKEPOINT_SPARK_CONF ({path}), line {number}",
                found=repr(line.strip()[:80]),
                expected="spark.<property>, then blanks or =, then its value",
                remedy="Correct the line, or put # before it.",
            )
        found[match[1]] = match[2]
    return found


def folder(settings: Settings) -> Path:
    """Where Spark's tables lie unless the profile names another warehouse directory."""
    return settings.data_dir / "spark"


def change_of_engine(settings: Settings) -> str:
    """What to say where the warehouse is the other engine's; empty where it is this one's, or there is none."""
    if not settings.warehouse.exists() or not _is_of_the_other(settings):
        return ""
    other = DUCKDB if settings.engine == SPARK else SPARK
    return (
        f"The warehouse was computed by {other}, and CHOKEPOINT_ENGINE is {settings.engine}: "
        "it is cleared away, and every model is computed anew."
    )


def _is_of_the_other(settings: Settings) -> bool:
    """Spark's folder tells whose the warehouse is."""
    return folder(settings).exists() != (settings.engine == SPARK)


def take_over(settings: Settings) -> None:
    """Clear away the warehouse that the other engine left, before this one builds: where one has tables, the other has
    views. The record of what was built does not count either then.
    """
    own = folder(settings)
    if not _is_of_the_other(settings):
        return
    warehouse = settings.warehouse
    for path in (warehouse, warehouse.with_name(f"{warehouse.name}.wal"), *_year_files(warehouse)):
        path.unlink(missing_ok=True)
    if settings.engine == SPARK:
        own.mkdir(parents=True)
    else:
        shutil.rmtree(own)


def _year_files(warehouse: Path) -> list[Path]:
    """What DuckDB writes by year beside the warehouse."""
    return list(warehouse.parent.glob(f"{warehouse.name}.*.parquet"))


def session(settings: Settings) -> SparkSession:
    """The session of this process, started where there is none with these properties yet.

    It lasts as long as the process: a run has many commands, and starting costs seconds.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    wanted = properties(settings)
    for known, active in list(_sessions):
        if known == wanted:
            return active
        active.stop()
        _sessions.clear()
    own = folder(settings)
    own.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in wanted.items():
        builder = builder.config(name, value)
    try:
        started = builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise EnvironmentProblem(
            f"Spark at {wanted['spark.master']}",
            found=str(getattr(error, "java_exception", error)).strip().partition("\n")[0][:300],
            expected="a session",
            remedy="Look whether master and workers are up and can reach this machine, and at the properties in the "
            "file of CHOKEPOINT_SPARK_CONF.",
        ) from error
    started.sparkContext.setLogLevel(wanted.get("spark.log.level", "ERROR"))
    _hush(started)
    _sessions.append((wanted, started))
    _adapt_dbt()
    _clear_remains(started, own)
    return started


# The session of this process with the properties that it was started with: one at most.
_sessions: list[tuple[dict[str, str], SparkSession]] = []


def _hush(active: SparkSession) -> None:
    """Where the code that Spark generates is too long for Java, Spark computes without it: that is no error to show.

    A model of many exact sums is such a case, and Java's account of it a page long.
    """
    jvm: Any = active.sparkContext._jvm
    log4j = jvm.org.apache.logging.log4j
    generator = "org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator"
    log4j.core.config.Configurator.setLevel(generator, log4j.Level.OFF)


def _clear_remains(active: SparkSession, own: Path) -> None:
    """Remove the folders of tables that a killed run had begun and not entered: Spark would refuse to write there."""
    for schema in own.glob("*.db"):
        known = set()
        if active.catalog.databaseExists(schema.stem):
            known = {row.tableName for row in active.sql(f"show tables in {schema.stem}").collect()}
        for table in schema.iterdir():
            if table.name not in known:
                shutil.rmtree(table, ignore_errors=True)


def _adapt_dbt() -> None:
    """Teach dbt's adapter two things that it does for hosted clusters only, or not at all.

    A Python model runs in the driver of this session, and casts stay strict: the adapter switches ANSI mode off.
    """
    from dbt.adapters.base import PythonJobHelper
    from dbt.adapters.spark import SparkAdapter, SparkCredentials

    class DriverJob(PythonJobHelper):
        """Runs the compiled code of a Python model in this process.

        One at a time, however many threads dbt has: what a model sets while it computes (one BLAS thread, so that its
        sums do not depend on the machine) is set for the process, and the first to end would take it from the others.
        """

        alone = threading.Lock()

        def __init__(self, parsed_model: dict[str, Any], credential: Any) -> None:
            self.name = parsed_model["alias"]

        def submit(self, compiled_code: str) -> None:
            """The code ends by writing its table: see the macro `spark__create_table_as`."""
            from pyspark.sql import SparkSession

            with self.alone:
                exec(compile(compiled_code, f"<model {self.name}>", "exec"), {"spark": SparkSession.active()})

    plain = SparkCredentials.__post_init__
    if getattr(plain, "strict", False):
        return

    def strict(credentials: Any) -> None:
        plain(credentials)
        credentials.server_side_parameters["spark.sql.ansi.enabled"] = "true"

    strict.strict = True  # type: ignore[attr-defined]
    their_credentials: Any = SparkCredentials
    their_adapter: Any = SparkAdapter
    their_credentials.__post_init__ = strict
    their_adapter.python_submission_helpers = property(lambda adapter: {"driver": DriverJob})
    their_adapter.default_python_submission_method = property(lambda adapter: "driver")


def write_model(active: SparkSession, content: Any, relation: str) -> None:
    """Write what a Python model returned (an Arrow table, a pandas or a Spark DataFrame) as a table."""
    frame = content if hasattr(content, "sparkSession") else active.createDataFrame(content)
    frame.write.mode("overwrite").format("parquet").saveAsTable(relation)


# ---------------------------------------------------------------------------- what Spark reads


def offer_landing(active: SparkSession, manifest: Mapping[str, Any], landing: str) -> None:
    """A view over the files of each landing table that there are, under the names by which the models read them.

    `landing` is the landing folder as the inside of an SQL literal; sources call it `<landing>`.

    The files are named by a pattern, not by their folder: below a folder, Spark would take `year=unknown` for a text.
    """
    for source in manifest["sources"].values():
        schema, table = source["schema"], source["identifier"]
        active.sql(f"create schema if not exists `{schema}`")
        location = source["source_meta"]["external_location"].format(**source)
        pattern = _pattern(location.replace("<landing>", landing))
        if not any(Path("/").glob(pattern.removeprefix("/"))):
            active.sql(f"drop view if exists `{schema}`.`{table}`")
            continue
        active.sql(f"create or replace view `{schema}`.`{table}` as select * from parquet.`{_hadoop(pattern)}`")


def _pattern(location: str) -> str:
    """The pattern of files in a source's `read_parquet('…', …)`, as DuckDB reads it."""
    match = re.match(r"\s*read_parquet\('((?:[^']|'')*)'", location)
    if match is None:
        raise ValueError(f"a source without read_parquet('…'): {location}")
    return match[1].replace("''", "'")


def _hadoop(pattern: str) -> str:
    r"""A pattern as Hadoop reads it: there a literal character is `\*`, not `[*]`, and braces have a meaning."""
    literal_characters = re.sub(r"\[([\[*?])\]|([{}\\])", lambda found: "\\" + (found[1] or found[2]), pattern)
    return ("file:" + literal_characters).replace("`", "``")


# ---------------------------------------------------------------------------- what DuckDB sees


def show(active: SparkSession, settings: Settings, manifest: Mapping[str, Any], names: Collection[str]) -> None:
    """Views in the warehouse file over the files of these tables (models and seeds), as Spark has them now.

    Columns come in the order and types of the contract: Spark keeps the year in the path, not in the files.
    """
    with duckdb.connect(str(settings.warehouse)) as connection:
        for schema in _SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        for node in manifest["nodes"].values():
            if node["resource_type"] in ("model", "seed") and node["name"] in names:
                layer, query = (
                    node["config"]["schema"],
                    _over_files(active, node["relation_name"], list(node["columns"])),
                )
                connection.execute(f"create or replace view {identifier(layer)}.{identifier(node['name'])} as {query}")


def _over_files(active: SparkSession, relation: str, order: Sequence[str]) -> str:
    """A query over the table's files, its columns in this order; those that it does not name come last."""
    table = active.table(relation)
    found = {field.name: _duckdb_type(field.dataType.simpleString()) for field in table.schema.fields}
    types = {name: found[name] for name in dict.fromkeys((*(each for each in order if each in found), *found))}
    partitioned = "year" in {each.name for each in active.catalog.listColumns(relation) if each.isPartition}
    files = [_local(uri, relation) for uri in table.inputFiles()]
    by_year: dict[int | None, list[Path]] = {}
    for path in sorted(files):
        by_year.setdefault(int(path.parent.name.removeprefix("year=")) if partitioned else None, []).append(path)
    if not by_year:
        columns = ", ".join(f"cast(null as {kind}) as {identifier(name)}" for name, kind in types.items())
        return f"select {columns} limit 0"
    return " union all ".join(
        f"select {_columns(types, year)} from {parquet(files)}" for year, files in sorted(by_year.items(), key=str)
    )


def _columns(types: Mapping[str, str], year: int | None) -> str:
    def column(name: str, kind: str) -> str:
        value = str(year) if name == "year" and year is not None else identifier(name)
        return f"cast({value} as {kind}) as {identifier(name)}"

    return ", ".join(column(name, kind) for name, kind in types.items())


def _duckdb_type(spark_type: str) -> str:
    return _TYPES.get(spark_type, spark_type)


def _local(uri: str, relation: str) -> Path:
    parts = urlsplit(uri)
    if parts.scheme not in ("file", ""):
        raise EnvironmentProblem(
            f"table {relation}, property spark.sql.warehouse.dir",
            found=f"files under {parts.scheme}://",
            expected="a directory that this machine and the workers have at the same path",
            remedy="Mount the storage as a file system, and name its path in the profile (docs/scaling.md).",
        )
    return Path(unquote(parts.path))
