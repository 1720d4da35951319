"""Spark as engine, as far as it goes without Spark: what is asked of the machine, the profile, patterns and views.

Not here: a session and its results (tests/spark).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project import dbt_project, spark
from dagster_project.errors import EnvironmentProblem, SettingError
from dagster_project.planning.state import Built
from dagster_project.settings import Settings, load_settings
from dagster_project.sql import one_file


def settings(root: Path, **more: str) -> Settings:
    given = {f"CHOKEPOINT_{name.upper()}": value for name, value in more.items()}
    return load_settings({"CHOKEPOINT_DATA_DIR": str(root), **given}, dotenv=None)


def test_without_its_packages_the_engine_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_installed", lambda name: name != "pyspark")
    with pytest.raises(EnvironmentProblem) as error:
        dbt_project.manifest_path(settings(tmp_path, engine="spark"))
    assert "no pyspark" in str(error.value) and "chokepoint[spark]" in str(error.value)


def test_without_java_the_engine_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_installed", lambda name: True)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(EnvironmentProblem, match=r"no Java that starts.*Java 17 or newer.*openjdk-17"):
        spark.require(settings(tmp_path, engine="spark"))


@pytest.mark.parametrize(
    ("said", "version"), [('openjdk version "17.0.15"', 17), ('java version "1.8.0_402"', 8), ("no such thing", 0)]
)
def test_the_version_of_java_is_read(said: str, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert spark._java() == version


def test_a_profile_goes_over_our_properties_but_not_over_what_results_depend_on(tmp_path: Path) -> None:
    path = tmp_path / "spark.conf"
    path.write_text(
        "# mine\n\nspark.master = spark://127.0.0.1:7077\nspark.driver.memory 3g\n"
        "spark.sql.session.timeZone=Asia/Tokyo\nspark.sql.ansi.enabled false\n"
    )
    found = spark.properties(settings(tmp_path, engine="spark", spark_conf=str(path)))
    assert found["spark.master"] == "spark://127.0.0.1:7077" and found["spark.driver.memory"] == "3g"
    assert "spark.driver.host" not in found
    assert found["spark.sql.session.timeZone"] == "UTC" and found["spark.sql.ansi.enabled"] == "true"


def test_without_a_profile_spark_runs_on_this_machine(tmp_path: Path) -> None:
    found = spark.properties(settings(tmp_path, engine="spark"))
    assert found["spark.master"] == "local[*]"
    assert found["spark.driver.host"] == found["spark.driver.bindAddress"] == "127.0.0.1"
    assert found["spark.sql.warehouse.dir"] == f"file:{tmp_path / 'spark'}"


def test_a_line_of_the_profile_that_is_no_property_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spark.conf"
    path.write_text("spark.master local\nmemory: 3g\n")
    with pytest.raises(SettingError, match=r"line 2: found 'memory: 3g'; expected spark\.<property>"):
        spark.profile(path)


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"CHOKEPOINT_SPARK_CONF.*which is no file"):
        settings(tmp_path, spark_conf=str(tmp_path / "nowhere"))


def test_no_character_of_a_path_is_a_pattern_to_spark() -> None:
    folder = "/data/it's [a] *?{b}"
    location = f"read_parquet({one_file(folder)[:-1]}/flows/year=*/*.parquet', hive_partitioning=false)"
    assert spark._hadoop(spark._pattern(location)) == r"file:/data/it's \[a] \*\?\{b\}/flows/year=*/*.parquet"


@dataclass
class Type:
    name: str

    def simpleString(self) -> str:
        return self.name


@dataclass
class Column:
    name: str
    dataType: Type
    isPartition: bool = False


@dataclass
class Table:
    """A table as Spark describes one; it stands for the session, its catalog and the schema too."""

    fields: list[Column]
    files: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        assert name in ("catalog", "schema")
        return self

    def table(self, name: str) -> Table:
        return self

    def listColumns(self, name: str) -> list[Column]:
        return self.fields

    def inputFiles(self) -> list[str]:
        return self.files


COLUMNS = [
    Column("hs6", Type("string")), Column("value_usd", Type("double")), Column("rank", Type("bigint")),
    Column("year", Type("int"), isPartition=True),
]  # fmt: skip


def test_a_table_by_year_is_shown_in_the_order_and_types_of_the_contract(tmp_path: Path) -> None:
    files = []
    for year in (2017, 2018):
        path = tmp_path / "year=1999 % [x]" / "flows" / f"year={year}" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"hs6": ["010121"], "value_usd": [0.1], "rank": pa.array([1], pa.int64())}), path)
        files.append(path.as_uri())
    query = spark._over_files(Table(COLUMNS, files), "t", ["year", "hs6", "rank", "value_usd"])  # type: ignore[arg-type]
    shown = duckdb.sql(f"{query} order by year")
    assert shown.fetchall() == [(2017, "010121", 1, 0.1), (2018, "010121", 1, 0.1)]
    assert list(map(str, shown.types)) == ["INTEGER", "VARCHAR", "BIGINT", "DOUBLE"]


def test_a_table_without_files_has_its_columns() -> None:
    shown = duckdb.sql(spark._over_files(Table(COLUMNS), "t", ["year"]))  # type: ignore[arg-type]
    assert shown.columns == ["year", "hs6", "value_usd", "rank"] and shown.fetchall() == []


def test_tables_elsewhere_than_in_a_file_system_are_refused() -> None:
    with pytest.raises(EnvironmentProblem, match=r"files under s3a://.*Mount the storage"):
        spark._local("s3a://bucket/part-0.parquet", "marts.flows")


def test_what_another_engine_built_counts_as_not_built(tmp_path: Path) -> None:
    duck, other = settings(tmp_path), settings(tmp_path, engine="spark")
    duckdb.connect(str(duck.warehouse)).close()
    Built(figures="made").save(duck)
    assert Built.load(duck).figures == "made"
    assert Built.load(other) == Built(engine="spark")
    Built.load(other).save(other)
    assert Built.load(duck) == Built()


def test_an_engine_clears_away_what_the_other_one_left_and_nothing_else(tmp_path: Path) -> None:
    duck, other = settings(tmp_path), settings(tmp_path, engine="spark")
    names = ("warehouse.duckdb", "warehouse.duckdb.int_trade_flows.2017.parquet")

    def write(*more: str) -> None:
        for name in (*names, *more):
            (tmp_path / name).write_text("x")

    assert spark.change_of_engine(other) == ""  # nobody has computed anything yet
    write("built.json", "published.txt")
    assert spark.change_of_engine(duck) == ""
    spark.take_over(duck)
    assert {path.name for path in tmp_path.iterdir()} == {*names, "built.json", "published.txt"}
    assert "was computed by duckdb, and CHOKEPOINT_ENGINE is spark" in spark.change_of_engine(other)
    spark.take_over(other)
    assert {path.name for path in tmp_path.iterdir()} == {"spark", "built.json", "published.txt"}
    write()
    assert spark.change_of_engine(other) == ""
    assert "was computed by spark, and CHOKEPOINT_ENGINE is duckdb" in spark.change_of_engine(duck)
    spark.take_over(other)
    assert (tmp_path / "spark").is_dir() and (tmp_path / "warehouse.duckdb").exists()
    spark.take_over(duck)
    assert {path.name for path in tmp_path.iterdir()} == {"built.json", "published.txt"}
