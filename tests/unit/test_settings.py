"""Settings: every default, every unknown value, `.env`, and what of them a manifest may say."""

from __future__ import annotations

import json
import pickle
import traceback
from dataclasses import asdict
from pathlib import Path

import pytest

from dagster_project.errors import SettingError
from dagster_project.machine import default_resources
from dagster_project.places import CHECKOUT
from dagster_project.secret import Secret
from dagster_project.settings import DEFINITIONS, REFERENCE_LIST, Definition, Settings, load_settings

# The names, defaults and values that scripts rely on (docs/settings.md).
CONTRACT = {
    "CHOKEPOINT_DATA_DIR": CHECKOUT / "data",
    "CHOKEPOINT_DROP_DIR": CHECKOUT / "drop",
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
    if definition.secret or definition.values in ("a directory", "a JSON file"):
        return  # not shown, see below; every text is a path
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
    assert "did you mean CHOKEPOINT_YEARS?" in str(error.value)
    assert "CHOKEPOINT_WAREHOUSE" not in str(error.value)  # the program's own, for dbt


def test_what_the_program_sets_for_dbt_is_no_unknown_setting() -> None:
    names = ("WAREHOUSE", "LANDING_FILES", "BUILD_YEARS", "BUILD_MEMORY", "BUILD_THREADS")
    load_settings({f"CHOKEPOINT_{name}": "x" for name in names}, dotenv=None)


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
def test_texts_that_are_no_years(text: str) -> None:
    with pytest.raises(SettingError, match=r"CHOKEPOINT_YEARS.*2017-2022"):
        settings(years=text)


@pytest.mark.parametrize("text", ["2022-2017", "2012, 2022 - 2017"])
def test_a_reversed_range_is_reported_as_one(text: str) -> None:
    with pytest.raises(SettingError, match="ends before it begins; write 2017-2022"):
        settings(years=text)


@pytest.mark.parametrize(
    ("name", "value", "nearest"),
    [
        ("trade_source", "file", "files"), ("trade_source", "BACI", "baci"), ("hs_revision", "h4", "H4"),
        ("tariff_source", "on", None), ("keep_reimports", "tru", "true"), ("product_scope", "bec4", None),
        ("product_scope", "bec4-intermediate", "bec4_intermediate"), ("retain_releases", "five", None),
    ],
)  # fmt: skip
def test_the_nearest_value_is_named(name: str, value: str, nearest: str | None) -> None:
    with pytest.raises(SettingError) as error:
        settings(**{name: value})
    question = f"Did you mean {nearest}?" if nearest else "Did you mean"
    assert (question in str(error.value)) == (nearest is not None)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CHOKEPOINT_COMTRADE_API_KEY", "COMTRADE_API_KEY"),
        ("CHOKEPOINT_DUCKDB_MEMORY", "CHOKEPOINT_MEMORY"),
        ("CHOKEPOINT_TRADESOURCE", "CHOKEPOINT_TRADE_SOURCE"),
    ],
)
def test_the_nearest_name_is_named(name: str, nearest: str) -> None:
    with pytest.raises(SettingError) as error:
        load_settings({name: "x"}, dotenv=None)
    assert f"(did you mean {nearest}?)" in str(error.value)


def test_a_name_like_no_setting_gets_no_question() -> None:
    with pytest.raises(SettingError) as error:
        load_settings({"CHOKEPOINT_ZZZZ": ""}, dotenv=None)
    assert "did you mean" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        ("4GB", 4 * 10**9), ("4 gb", 4 * 10**9), ("2.5GB", 25 * 10**8), ("1600MB", 16 * 10**8), ("4GiB", 4 * 2**30),
        ("0.5TB", 5 * 10**11), ("auto", default_resources().memory), ("", default_resources().memory),
    ],
)  # fmt: skip
def test_memory(text: str, memory: int) -> None:
    assert settings(memory=text).memory == memory == settings(memory=text).resources.memory


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4", "without a unit"), ("4294967296", "without a unit"), ("100MB", "too little"), ("0GB", "too little"),
        ("-4GB", ""), ("4G", ""), ("four GB", ""), ("80%", ""), ("٤GB", ""), ("all", ""),
    ],
)  # fmt: skip
def test_texts_that_are_no_memory(text: str, reason: str) -> None:
    with pytest.raises(SettingError, match=f"CHOKEPOINT_MEMORY.*{reason}.*size such as 4GB"):
        settings(memory=text)


def test_threads() -> None:
    assert settings(threads="3").resources.threads == 3 and settings().threads == default_resources().threads
    for text in ("0", "-1", "1.5", "two", "²"):
        with pytest.raises(SettingError, match=r"CHOKEPOINT_THREADS.*1 or more"):
            settings(threads=text)


SECRETS = {
    "CHOKEPOINT_POSTGRES_URL": "postgresql://me:s3cret@word@host/db",
    "COMTRADE_API_KEY": "s3cret-comtrade",
    "USPTO_API_KEY": "s3cret-uspto",
    "REGULATIONS_API_KEY": "s3cret-regulations",
}


def test_secrets_are_read_from_dotenv_and_seen_nowhere(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{name}='{text}'\n" for name, text in SECRETS.items()))
    read = load_settings({}, dotenv=dotenv)
    found = {d.variable: getattr(read, d.name).reveal() for d in DEFINITIONS if d.secret}
    assert found == SECRETS
    for text in (repr(read), str(read), str(asdict(read)), json.dumps(read.public()), json.dumps(read.shaping())):
        assert "s3cret" not in text and "@word" not in text
    with pytest.raises(TypeError):
        pickle.dumps(read)


def test_keys_of_the_environment_go_before_dotenv_and_may_be_blank(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("COMTRADE_API_KEY=old\nUSPTO_API_KEY=old\n")
    read = load_settings({"COMTRADE_API_KEY": " new ", "USPTO_API_KEY": " "}, dotenv=dotenv)
    assert read.comtrade_api_key == Secret("new")
    assert read.uspto_api_key is None and read.regulations_api_key is None


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CHOKEPOINT_POSTGRES_URL", "mysql://me:s3cret@w%rd@host/db"),
        ("CHOKEPOINT_POSTGRES_URL", "s3cret"),
        ("CHOKEPOINT_POSTGRES_URL", "postgresql://me:s3cret w@host/db"),
        ("CHOKEPOINT_COMTRADE_URL", "ftp://me:s3cret@w%rd@host/db"),
        ("CHOKEPOINT_POSTGRES_SCHEMA", "postgresql://me:s3cret@w%rd@host/db"),
        ("COMTRADE_API_KEY", "s3cret w%rd"),
        ("USPTO_API_KEY", "s3cret\u00e4"),
    ],
)
def test_no_message_shows_a_secret(variable: str, text: str) -> None:
    with pytest.raises(SettingError) as error:
        load_settings({variable: text}, dotenv=None)
    shown = "".join(traceback.format_exception(error.value))
    assert variable in shown and "s3cret" not in shown and "w%rd" not in shown


def test_dotenv_that_is_no_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CHOKEPOINT_YEARS=\xff\xfe")
    with pytest.raises(SettingError, match="UTF-8"):
        load_settings({}, dotenv=tmp_path / ".env")


def test_the_list_that_comes_with_the_program_is_the_default(tmp_path: Path) -> None:
    assert settings().reference_list == REFERENCE_LIST and REFERENCE_LIST.is_file()
    assert settings(reference_list=str(tmp_path / "mine.json")).reference_list == tmp_path / "mine.json"


@pytest.mark.parametrize("text", ["nan", "inf", "0.4", "2.1", "1,0", "one", "-1"])
def test_texts_that_are_no_mirror_factor(text: str) -> None:
    with pytest.raises(SettingError, match=r"from 0\.5 to 2"):
        settings(mirror_cif_fob_factor=text)


def test_pooled_years_are_named_and_never_all_there_are() -> None:
    assert settings().centrality_years == (2017, 2018)
    assert settings(centrality_years="2016,2018-2019").centrality_years == (2016, 2018, 2019)
    for text in ("all", "2017;2018", "1900"):
        with pytest.raises(SettingError, match="CHOKEPOINT_CENTRALITY_YEARS"):
            settings(centrality_years=text)


@pytest.mark.parametrize("text", ["-1", "1.5", "five", "²"])
def test_texts_that_are_no_retention(text: str) -> None:
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


def test_a_missing_dotenv_counts_as_empty(tmp_path: Path) -> None:
    assert load_settings({}, dotenv=tmp_path / ".env") == settings()


def test_paths_are_absolute_and_relative_ones_start_at_the_checkout(tmp_path: Path) -> None:
    read = settings(data_dir="my/data", drop_dir=str(tmp_path))
    assert read.data_dir == CHECKOUT / "my/data" and read.drop_dir == tmp_path.resolve()
    assert {read.archive_dir, read.landing_dir, read.published_dir} == {
        read.data_dir / name for name in ("archive", "landing", "published")
    }


def test_manifest_says_no_path_and_is_plain_data(tmp_path: Path) -> None:
    public = settings(data_dir=str(tmp_path), drop_dir=str(tmp_path), years="2017-2018").public()
    text = json.dumps(public)
    assert str(tmp_path) not in text and str(CHECKOUT) not in text
    assert public["years"] == [2017, 2018] and settings().public()["years"] == "all"


def test_every_setting_that_changes_a_mart_is_named_as_such() -> None:
    changed = {
        "trade_source": "files", "tariff_source": "off", "patent_source": "off", "reference_source": "files",
        "hs_revision": "H4", "product_scope": "all", "keep_reimports": "true", "mirror_cif_fob_factor": "1.1",
        "centrality_years": "2016", "price_trim": "2", "price_min_cells": "5",
    }  # fmt: skip
    for name, value in changed.items():
        assert settings(**{name: value}).shaping() != settings().shaping(), name
    other = settings(retain_releases="1", years="2017", memory="1GB", threads="7")
    assert other.shaping() == settings().shaping()


def test_pairs_thirds_and_exporters() -> None:
    given = settings(
        relocation_pairs=" 156-704 , 156 - 484,156-704", relocation_thirds="842, 97", shock_exporters="156,490"
    )
    assert given.relocation_pairs == ((156, 704), (156, 484))
    assert (given.relocation_thirds, given.shock_exporters) == ((842, 97), (156, 490))
    assert settings().as_locked(given.shaping(), "lock").relocation_pairs == given.relocation_pairs


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("relocation_pairs", "156"), ("relocation_pairs", "156-704-842"), ("relocation_pairs", "CHN-VNM"),
        ("relocation_pairs", "156-704,"), ("relocation_thirds", "USA"), ("shock_exporters", "156;490"),
        ("shock_cut", "0"), ("shock_cut", "1.01"), ("shock_cut", "2 %"), ("shock_cut", "nan"),
        ("spare_capacity", "-0.1"), ("spare_capacity", "11"), ("spare_capacity", "inf"),
        ("price_trim", "1"), ("price_trim", "101"), ("price_trim", "nan"), ("price_min_cells", "0"),
        ("price_min_cells", "2.5"),
    ],
)  # fmt: skip
def test_texts_that_are_no_shock_or_relocation(setting: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"CHOKEPOINT_{setting.upper()}"):
        settings(**{setting: text})


def test_a_pair_of_a_country_with_itself_is_refused() -> None:
    with pytest.raises(SettingError, match="a pair of a country with itself"):
        settings(relocation_pairs="156-156")
