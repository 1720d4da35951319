"""Files of scenarios: what is read, and what each mistake says. Not here: what a scenario costs (the mart's tests)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.dbt_project import dbt_vars
from dagster_project.errors import SettingError
from dagster_project.places import DBT_PROJECT
from dagster_project.scenarios import Scenario, as_json, from_json, read_scenarios
from dagster_project.settings import load_settings

HEAD = "scenario_id,title,exporter,goods,cut,spare_capacity\n"
CHIPS = 'chips,"No chips, for once",TWN,8542,1,0.1\n'


def written(folder: Path, lines: str, head: str = HEAD) -> Path:
    path = folder / "mine.csv"
    path.write_text(head + lines, encoding="utf-8")
    return path


def test_the_projects_own_scenarios_are_such_a_file() -> None:
    own = read_scenarios(DBT_PROJECT / "seeds" / "trade" / "scenarios.csv")
    assert {(one.exporter, one.goods, one.cut) for one in own} == {
        ("CHN", "scope", 0.02), ("TWN", "8542", 1.0), ("CHN", "280530", 1.0), ("CHN", "284690", 1.0)
    }  # fmt: skip


def test_columns_may_come_in_any_order_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(
        tmp_path, "0.5, 0 ,85, deu ,Half,half\n", "\ufeffcut,spare_capacity,goods,exporter,title,scenario_id\n"
    )
    assert read_scenarios(path) == (Scenario("half", "Half", "DEU", "85", 0.5, 0.0, "mine.csv", 2),)


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        ("a,A,XXX,85,1,0.1", "the exporter 'XXX'", "alpha-3"),
        ("a,A,GER,85,1,0.1", "the exporter 'GER'", "did you mean DEU?"),
        ("a,A,CHN,854,1,0.1", "the goods '854'", "2, 4 or 6 digits"),
        ("a,A,CHN,77,1,0.1", "the goods '77'", "2, 4 or 6 digits"),
        ("a,A,CHN,9901,1,0.1", "the goods '9901'", "2, 4 or 6 digits"),
        ("a,A,CHN,,1,0.1", "the goods ''", "scope, or 2, 4 or 6 digits"),
        ("a,A,CHN,85,0,0.1", "cut '0'", "above 0, up to 1"),
        ("a,A,CHN,85,2 %,0.1", "cut '2 %'", "above 0, up to 1"),
        ("a,A,CHN,85,1,-1", "spare_capacity '-1'", "from 0 to 10"),
        ("a,A,CHN,85,nan,0.1", "cut 'nan'", "above 0, up to 1"),
        ("A b,A,CHN,85,1,0.1", "scenario_id 'A b'", "small letters"),
        ("a,,CHN,85,1,0.1", "title ''", "a title of one line"),
        ("chips,Other,TWN,8541,1,0.1", "TWN, 'Other'", "the exporter and title of scenario chips in row 2"),
        ('chips,"No chips, for once",TWN,854231,1,0.1', "goods 854231", "goods that row 2 (8542) does not hold"),
        ('chips,"No chips, for once",TWN,scope,1,0.1', "goods scope", "goods that row 2 (8542) does not hold"),
    ],
)
def test_a_mistake_names_file_row_found_and_expected(tmp_path: Path, line: str, found: str, expected: str) -> None:
    with pytest.raises(SettingError) as error:
        read_scenarios(written(tmp_path, CHIPS + line + "\n"))
    assert str(error.value).startswith("scenario file mine.csv, row 3: found " + found)
    assert expected in str(error.value)


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"mine\.csv: found no column exporter, cut"):
        read_scenarios(written(tmp_path, "a,b,c,d\n", "scenario_id,title,goods,spare_capacity\n"))
    with pytest.raises(SettingError, match=r"mine\.csv: found no scenario"):
        read_scenarios(written(tmp_path, ""))
    (tmp_path / "mine.csv").write_bytes(HEAD.encode() + b"a,\xe9,CHN,85,1,0.1\n")
    with pytest.raises(SettingError, match="no UTF-8"):
        read_scenarios(tmp_path / "mine.csv")


def test_a_lock_holds_what_the_file_said(tmp_path: Path) -> None:
    scenarios = read_scenarios(written(tmp_path, CHIPS + "half,Half,DEU,84,0.5,0\n"))
    assert from_json(as_json(scenarios)) == scenarios
    settings = load_settings({"CHOKEPOINT_SCENARIOS": str(tmp_path / "mine.csv")}, dotenv=None)
    locked = load_settings({}, dotenv=None).as_locked({"scenarios": settings.shaping()["scenarios"]}, "lock")
    assert locked.scenarios == settings.scenarios == scenarios
    assert dbt_vars(locked)["scenarios"][0]["title"] == "No chips, for once"


@pytest.mark.parametrize("text", ["[1]", "[[1,2]]", '{"a": 1}', "[", '["a"]'])
def test_what_is_no_scenario_of_a_lock_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        load_settings({"CHOKEPOINT_SCENARIOS": text}, dotenv=None)


def test_a_scenario_of_a_lock_is_read_as_one_of_a_file_is() -> None:
    line = ["a", "A", "NOWHERE", "85", 1, 0.1, "theirs.csv", 2]
    with pytest.raises(SettingError, match=r"theirs\.csv, row 2: found the exporter 'NOWHERE'"):
        from_json(json.dumps([line]))


def test_own_is_the_default_and_a_file_that_is_not_there_an_error(tmp_path: Path) -> None:
    assert load_settings({}, dotenv=None).scenarios == ()
    with pytest.raises(SettingError, match=r"CHOKEPOINT_SCENARIOS.*which is no file"):
        load_settings({"CHOKEPOINT_SCENARIOS": str(tmp_path / "none.csv")}, dotenv=None)
