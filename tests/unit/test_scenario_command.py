"""A scenario at the terminal: values by hand over a small release, and what each mistake is answered with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.brief.scenario import Question, answer, question_of, text
from dagster_project.cli import main
from dagster_project.errors import ReleaseError, SettingError
from dagster_project.publish.read import Release, open_release
from dagster_project.publish.release import MartSpec, publish
from tests.helpers.publish_helpers import make_context

# China sells chip 854231 to Germany (80) and Japan (20), and 854232, which nobody else sells, to Germany (10). The USA
# sells Germany 50 and Japan itself sells it 150 of the first.
TABLES = {
    "trade_flows": """
        select 2017 as year, e as exporter_iso3, 'Land ' || e as exporter_name, i as importer_iso3,
            'Land ' || i as importer_name, hs6, usd::double as value_usd
        from (values ('CHN', 'DEU', '854231', 80e6), ('CHN', 'JPN', '854231', 20e6), ('CHN', 'DEU', '854232', 10e6),
            ('USA', 'DEU', '854231', 50e6), ('JPN', 'DEU', '854231', 150e6), ('CHN', 'DEU', '010121', 7e6)
        ) as t (e, i, hs6, usd)""",
    "product_centrality": """
        select 2017 as year, hs6, hs6 <> '010121' as in_scope
        from (values ('854231'), ('854232'), ('010121')) as t (hs6)""",
}
KEYS = {
    "trade_flows": ("year", "exporter_iso3", "importer_iso3", "hs6"),
    "product_centrality": ("year", "hs6"),
}
CHIPS = Question("CHN", ("8542",), 1.0, 0.25)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name, query in TABLES.items():
            connection.execute(f"create table marts.{name} as {query}")
    specs = [MartSpec(name=name, key=KEYS[name], description="One row per thing.", columns={}) for name in TABLES]
    publish(warehouse, tmp_path / "published", specs, make_context(), retain=1)
    return tmp_path


@pytest.fixture
def release(data: Path) -> Iterator[Release]:
    with open_release(data / "published") as found:
        yield found


def test_losses_and_alternatives_by_hand(release: Release) -> None:
    """The others sell 200 of 854231: a pool of 50 for 100 lost, half of it; 854232 cannot be replaced."""
    found = answer(release, CHIPS)
    assert (found.year, found.n_goods) == (2017, 2)
    germany, japan = found.losses
    assert (germany["importer_iso3"], germany["loss_usd"], germany["shortfall_usd"]) == ("DEU", 90e6, 50e6)
    assert germany["loss_share"] == pytest.approx(90 / 290) and germany["replaceable_share"] == pytest.approx(4 / 9)
    assert (japan["importer_iso3"], japan["loss_usd"], japan["shortfall_usd"]) == ("JPN", 20e6, 10e6)
    assert [(row["exporter_iso3"], row["export_value_usd"], row["spare_usd"]) for row in found.alternatives] == [
        ("JPN", 150e6, 37.5e6),
        ("USA", 50e6, 12.5e6),
    ]


def test_a_cut_is_linear_and_overlapping_goods_count_once(release: Release) -> None:
    part = answer(release, Question("CHN", ("854231", "8542", "scope"), 0.02, 0.1, 2017))
    assert part.n_goods == 2
    assert [row["loss_usd"] for row in part.losses] == [pytest.approx(1.8e6), pytest.approx(0.4e6)]


def test_the_text_says_who_loses_what_and_who_else_sells(release: Release) -> None:
    said = text(answer(release, CHIPS))
    assert "All 2 importers lose 110.0 million USD at first; of it, others could deliver 50.0 and not 60.0." in said
    assert "DEU Land DEU" in said and "44.4 %" in said and "JPN Land JPN" in said and "37.5" in said


def test_the_command_prints_it(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(data))
    assert main(["scenario", "--exporter", "chn", "--goods", "8542", "--cut", "0.02", "--spare", "0.1"]) == 0
    assert "CHN delivers 2 % less of 8542 (2 goods), 2017" in capsys.readouterr().out
    assert main(["scenario", "--exporter", "CHN", "--goods", "99"]) == 1
    assert "--goods: found the goods '99'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("XXX", "8542", "1", "0.1", ""), "--exporter: found the exporter 'XXX'"),
        (("CHN", "854", "1", "0.1", ""), "--goods: found the goods '854'"),
        (("CHN", "8542,", "1", "0.1", ""), "--goods: found the goods ''"),
        (("CHN", "8542", "0", "0.1", ""), "--cut: found cut '0'"),
        (("CHN", "8542", "1", "much", ""), "--spare: found spare 'much'"),
        (("CHN", "8542", "1", "0.1", "last"), "--year: found 'last'"),
    ],
)
def test_a_mistake_names_the_option(texts: tuple[str, str, str, str, str], message: str) -> None:
    with pytest.raises(SettingError) as error:
        question_of(*texts)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("CHN", ("8542",), 1, 0.1, 2016), "--year: found 2016; expected one of 2017"),
        (Question("CHN", ("8703",), 1, 0.1), "--goods: found 8703, of which nobody trades anything in 2017"),
        (Question("FRA", ("8542",), 1, 0.1), "expected an exporter of them, such as JPN, CHN, USA"),
    ],
)
def test_what_the_release_does_not_hold_is_said(release: Release, question: Question, message: str) -> None:
    with pytest.raises(SettingError) as error:
        answer(release, question)
    assert message in str(error.value)


def test_without_a_release_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no current release"), open_release(tmp_path):
        pass
