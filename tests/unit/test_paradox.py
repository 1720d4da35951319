"""The samples, effects and clusters of each level of the paradox's tests. Not here: estimation (test_regression)."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dagster_project.paradox import MEASURES, SCHEMA, paradox_tests
from dagster_project.places import DBT_PROJECT
from tests.helpers.real_files import DROP

COLUMNS = [name for sides in MEASURES.values() for side in sides for name in side]


def observations(source: str, years: range, countries: tuple[str, ...], seed: int = 1) -> pd.DataFrame:
    """Four industries of each class, and two that are in no test; reliance rises with competitiveness in technology."""
    random, rows = np.random.default_rng(seed), []
    for year in years:
        for country in countries:
            for sector_class in ("technology", "labour", "other", "primary", "none"):
                for number in range(4):
                    x = random.normal()
                    y = (0.5 if sector_class == "technology" else 0.0) * x + 0.1 * random.normal()
                    reliance, competitiveness = MEASURES[source]
                    rows.append(
                        {
                            "source": source,
                            "edition": "e",
                            "year": year,
                            "country": country,
                            "industry": f"{sector_class}{number}",
                            "sector_class": sector_class,
                            "is_chosen": source == "io" and country == "CHN",
                            **dict.fromkeys(reliance, y),
                            **dict.fromkeys(competitiveness, x),
                        }
                    )
    return pd.DataFrame(rows).reindex(columns=[*rows[0], *(name for name in COLUMNS if name not in rows[0])])


def found(*frames: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Level, years, country and class -> the row, of the first pair of measures."""
    table = paradox_tests(pa.Table.from_pandas(pd.concat(frames), preserve_index=False))
    assert table.schema == SCHEMA
    firsts = {(sides[0][0], sides[1][0]) for sides in MEASURES.values()}
    kept = [row for row in table.to_pylist() if (row["reliance"], row["competitiveness"]) in firsts]
    names = ("level", "year_from", "year_to", "country", "sector_class")
    return {tuple(row[name] for name in names): row for row in kept}


@pytest.fixture(scope="module")
def rows() -> dict[tuple[Any, ...], dict[str, Any]]:
    countries = ("CHN", "DEU", "JPN", "USA", "VNM", "MEX")
    hs2 = observations("hs2", range(2017, 2019), ("156", "276", "392", "842", "704"))
    return found(hs2, observations("io", range(2000, 2006), countries))


def test_every_level_has_its_samples(rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    assert Counter(key[0] for key in rows) == {
        "hs2_country": 2 * 5 * 5, "hs2_pooled": 2 * 5, "io_country": 6 * 5, "io_cross_section": 6 * 5, "io_panel": 5
    }  # fmt: skip
    assert {key[3] for key in rows if key[0] == "io_country"} == {"CHN"}
    panel = rows["io_panel", 2000, 2005, "CHN", "technology_minus_labour"]
    assert (panel["n"], panel["n_used"], panel["n_clusters"], panel["few_clusters"]) == (48, 48, 8, True)
    # Importers are one cluster each, whichever class their chapters are of; primary and none are in no sample.
    pooled = rows["hs2_pooled", 2017, 2017, "ALL", "all"]
    assert (pooled["n"], pooled["n_clusters"]) == (5 * 12, 5)
    assert rows["hs2_country", 2017, 2017, "156", "all"]["n_clusters"] is None


def test_the_difference_is_that_of_the_slopes(rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    for key, row in rows.items():
        if key[-1] == "technology_minus_labour":
            one, other = (rows[(*key[:-1], name)]["slope"] for name in ("technology", "labour"))
            assert row["slope"] == pytest.approx(one - other, abs=1e-10)


def test_the_bootstrap_is_only_for_differences_of_few_clusters(rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    tried = {key[0] for key, row in rows.items() if row["wild_p_value"] is not None}
    assert tried == {"hs2_pooled", "io_cross_section", "io_panel"}
    assert all(key[-1] == "technology_minus_labour" for key, row in rows.items() if row["wild_p_value"] is not None)
    assert rows["io_panel", 2000, 2005, "CHN", "technology_minus_labour"]["wild_p_value"] <= 0.05


def test_a_class_without_a_slope_has_no_difference() -> None:
    frame = observations("hs2", range(2017, 2018), ("156",))
    few = found(frame[~frame["industry"].isin(["labour0", "labour1"])])
    assert few["hs2_country", 2017, 2017, "156", "labour"]["slope"] is None
    difference = few["hs2_country", 2017, 2017, "156", "technology_minus_labour"]
    assert (difference["n"], difference["slope"], difference["p_value"]) == (6, None, None)


def test_one_year_is_no_panel_and_no_row_gives_no_row() -> None:
    assert not [key for key in found(observations("io", range(2000, 2001), ("CHN", "USA"))) if key[0] == "io_panel"]
    assert paradox_tests(pa.Table.from_pandas(observations("hs2", range(2017, 2018), ("156",))[:0])).num_rows == 0


def test_the_classes_of_chapters_follow_the_concordance() -> None:
    """More than half of a chapter's codes decide, where the concordance is on the machine."""
    path = DROP / "reference/hs2017_isic3_technology.csv"
    if not path.is_file():
        pytest.skip("no concordance beside the checkout")
    codes = pd.read_csv(path, dtype=str)
    chapters = codes.groupby(codes["hs6"].str[:2])
    high = chapters["oecd_technology"].agg(lambda kinds: kinds.isin(["high", "medium_high"]).mean() > 0.5)
    labour = chapters["labour_intensive"].agg(lambda flags: (flags == "True").mean() > 0.5)
    with (DBT_PROJECT / "seeds/trade/hs2_classes.csv").open() as file:
        classes = {row["hs2"]: row["sector_class"] for row in csv.DictReader(file)}
    assert {name for name, kind in classes.items() if kind == "technology"} == set(high[high].index)
    assert {name for name, kind in classes.items() if kind == "labour"} == set(labour[labour].index)
