"""Settings: every default, every unknown value, `.env`, and what of them a manifest may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.errors import SettingError
from dagster_project.settings import DEFINITIONS, PROJECT_ROOT, Definition, Settings, load_settings

# The names, defaults and values that scripts rely on (marts.md, "Settings that scripts rely on").
CONTRACT = {
    "CHOKEPOINT_DATA_DIR": PROJECT_ROOT / "data",
    "CHOKEPOINT_DROP_DIR": PROJECT_ROOT / "drop",
    "CHOKEPOINT_TRADE_SOURCE": "sample",
    "CHOKEPOINT_TARIFF_SOURCE": "sample",
    "CHOKEPOINT_PATENT_SOURCE": "sample",
    "CHOKEPOINT_REFERENCE_SOURCE": "sample",
    "CHOKEPOINT_YEARS": None,
    "CHOKEPOINT_HS_REVISION": "H5",
    "CHOKEPOINT_PRODUCT_SCOPE": "bec4_intermediate",
    "CHOKEPOINT_RETAIN_RELEASES": 5,
}
KNOWN_VALUES = {
    "CHOKEPOINT_TRADE_SOURCE": {"sample", "files", "baci_files"},
    "CHOKEPOINT_TARIFF_SOURCE": {"sample", "files", "off"},
    "CHOKEPOINT_PATENT_SOURCE": {"sample", "files", "off"},
    "CHOKEPOINT_REFERENCE_SOURCE": {"sample", "files"},
    "CHOKEPOINT_HS_REVISION": {f"H{i}" for i in range(7)},
    "CHOKEPOINT_PRODUCT_SCOPE": {"bec4_intermediate", "bec4_intermediate_capital", "bec5_intermediate", "all"},
    "CHOKEPOINT_KEEP_REIMPORTS": {"true", "false"},
}
# "all" of one setting is no value of another; these are no value of any.
WRONG = ("no such value", "-1", "1e99", "*")


def settings(**values: str) -> Settings:
    return load_settings({f"CHOKEPOINT_{name.upper()}": value for name, value in values.items()}, dotenv=None)


def by_variable(variable: str) -> Definition:
    return next(definition for definition in DEFINITIONS if definition.variable == variable)


@pytest.mark.parametrize("variable", CONTRACT)
def test_defaults(variable: str) -> None:
    assert getattr(settings(), by_variable(variable).name) == CONTRACT[variable]


@pytest.mark.parametrize("variable", KNOWN_VALUES)
def test_known_values(variable: str) -> None:
    definition = by_variable(variable)
    listed = set(definition.values.split(", "))
    assert KNOWN_VALUES[variable] <= listed
    for value in listed:
        read = getattr(load_settings({variable: f" {value} "}, dotenv=None), definition.name)
        assert str(read).lower() == value.lower()


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_unknown_value_raises_and_lists_the_valid_ones(definition: Definition) -> None:
    if definition.values in ("a directory", "a JSON file"):
        return  # every text is a path
    for wrong in WRONG:
        with pytest.raises(SettingError) as error:
            load_settings({definition.variable: wrong}, dotenv=None)
        message = str(error.value)
        assert definition.variable in message and repr(wrong) in message and definition.values in message


@pytest.mark.parametrize("value", ["SAMPLE", "file", "samples", "sample,files", "off"])
def test_no_value_is_guessed(value: str) -> None:
    with pytest.raises(SettingError, match="sample, files, baci_files"):
        settings(trade_source=value)


def test_unknown_variable_raises_and_lists_the_known_ones() -> None:
    with pytest.raises(SettingError) as error:
        load_settings({"CHOKEPOINT_YEAR": "2017"}, dotenv=None)
    assert "CHOKEPOINT_YEAR:" in str(error.value) and all(d.variable in str(error.value) for d in DEFINITIONS)
    assert "CHOKEPOINT_WAREHOUSE" not in str(error.value)  # the program's own, for dbt


def test_what_the_program_sets_for_dbt_is_no_unknown_setting() -> None:
    load_settings({"CHOKEPOINT_WAREHOUSE": "x", "CHOKEPOINT_LANDING": "y", "CHOKEPOINT_BUILD_YEARS": ""}, dotenv=None)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("all", None), ("", None), ("  ", None), ("2017", (2017,)), ("2017-2019", (2017, 2018, 2019)),
        ("2017,2019", (2017, 2019)), (" 2019 , 2017 ", (2017, 2019)), ("2017-2018,2018-2019", (2017, 2018, 2019)),
        ("2017 - 2018", (2017, 2018)), ("1988", (1988,)), ("2017,2017", (2017,)),
    ],
)  # fmt: skip
def test_years(text: str, years: tuple[int, ...] | None) -> None:
    assert settings(years=text).years == years


@pytest.mark.parametrize(
    "text",
    ["2019-2017", "17", "2017-", "-2017", "2017;2018", "1987", "2101", "2017,", "ALL", "2017-2018-2019", "latest"],
)
def test_years_that_are_none(text: str) -> None:
    with pytest.raises(SettingError, match=r"CHOKEPOINT_YEARS.*2017-2022"):
        settings(years=text)


@pytest.mark.parametrize("text", ["nan", "inf", "0.4", "2.1", "1,0", "one", "-1"])
def test_mirror_factor_that_is_none(text: str) -> None:
    with pytest.raises(SettingError, match=r"from 0\.5 to 2"):
        settings(mirror_cif_fob_factor=text)


@pytest.mark.parametrize("text", ["-1", "1.5", "five", "²"])
def test_retention_that_is_none(text: str) -> None:
    with pytest.raises(SettingError, match="whole number"):
        settings(retain_releases=text)


def test_dotenv_is_read_and_the_environment_goes_before_it(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# mine\nCHOKEPOINT_YEARS=2017\nCHOKEPOINT_HS_REVISION='H4'\nOTHER_TOOL=1\n")
    read = load_settings({"CHOKEPOINT_YEARS": "2018"}, dotenv=dotenv)
    assert (read.years, read.hs_revision) == ((2018,), "H4")


def test_mistakes_in_dotenv_raise_too(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    for line in ("CHOKEPOINT_TRADESOURCE=files", "CHOKEPOINT_TRADE_SOURCE=file"):
        dotenv.write_text(line)
        with pytest.raises(SettingError, match=line.split("=")[0]):
            load_settings({}, dotenv=dotenv)


def test_missing_dotenv_is_none(tmp_path: Path) -> None:
    assert load_settings({}, dotenv=tmp_path / ".env") == settings()


def test_paths_are_absolute_and_relative_ones_start_at_the_checkout(tmp_path: Path) -> None:
    read = settings(data_dir="my/data", drop_dir=str(tmp_path))
    assert read.data_dir == PROJECT_ROOT / "my/data" and read.drop_dir == tmp_path.resolve()
    assert {read.archive_dir, read.landing_dir, read.published_dir} == {
        read.data_dir / name for name in ("archive", "landing", "published")
    }


def test_manifest_says_no_path_and_is_plain_data(tmp_path: Path) -> None:
    public = settings(data_dir=str(tmp_path), drop_dir=str(tmp_path), years="2017-2018").public()
    text = json.dumps(public)
    assert str(tmp_path) not in text and str(PROJECT_ROOT) not in text
    assert public["years"] == [2017, 2018] and settings().public()["years"] == "all"


def test_every_setting_that_changes_a_mart_is_named_as_such() -> None:
    changed = {
        "trade_source": "files", "tariff_source": "off", "patent_source": "off", "reference_source": "files",
        "hs_revision": "H4", "product_scope": "all", "keep_reimports": "true", "mirror_cif_fob_factor": "1.1",
    }  # fmt: skip
    for name, value in changed.items():
        assert settings(**{name: value}).shaping() != settings().shaping(), name
    assert settings(retain_releases="1", years="2017").shaping() == settings().shaping()
