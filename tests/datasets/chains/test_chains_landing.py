"""Input-output tables from the drop folder to the landing: every form they come in, and every fault that refuses one.

Not here: what is computed from them (`test_chains_measures`, `test_chains_models`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.errors import SettingError, SourceError
from dagster_project.landing import yearly
from tests.helpers.chains_desk import HAND, Desk, csv, pair, parquet, zipped

FLOWS = "select src_iso3, src_sector, dst_iso3, dst_sector, value_usd from io_flows order by all"
FINAL = "select src_iso3, src_sector, dst_iso3, value_usd from io_final order by all"
OUTPUT = "select country_iso3, sector, gross_output_usd, value_added_usd, taxes_usd from io_output order by all"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def refused(desk: Desk, *expected: str) -> None:
    """The table is refused as a whole, in words that hold these."""
    with pytest.raises(SourceError) as raised:
        desk.land()
    assert all(part in str(raised.value) for part in expected), raised.value
    assert raised.value.remedy


def test_a_table_lands_as_flows_final_use_and_output(desk: Desk) -> None:
    desk.write(csv())
    landed = desk.land()
    assert desk.values(FLOWS) == [("AAA", "C26", "BBB", "C29", 20e6)]
    assert desk.values(FINAL) == [("AAA", "C26", "AAA", 80e6), ("BBB", "C29", "BBB", 50e6)]
    assert desk.values(OUTPUT) == [("AAA", "C26", 100e6, 100e6, 0), ("BBB", "C29", 50e6, 29e6, 1e6)]
    about = desk.rows("select * exclude (archive_entry) from io_tables")
    assert about == [
        {
            **{"edition": "icio_sml", "year": 2019, "n_countries": 2, "n_sectors": 2, "has_final": True},
            **{"is_complete": False, "dropped_flows": 0, "dropped_flows_usd": 0, "source": "oecd_icio/icio_sml"},
            "file": "drop:gvc/2019_SML.csv",
        }
    ]
    assert landed.counts["2019"].rows_read == landed.counts["2019"].landed == 5


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("2019_SML.csv", "icio_sml"),
        ("2019_EXT.CSV", "icio_ext"),
        ("2019.csv", "icio"),
        ("ICIO2021_2019.csv", "icio_2021"),
        ("icio2018_2019.CSV", "icio_2018"),
        ("2025/2019_SML.csv", "icio_2025_sml"),
        ("2023/2016-2020_SML.zip", "icio_2023_sml"),
        ("tables.zip", "icio_sml"),
    ],
)
def test_edition_and_year_are_those_of_the_name(desk: Desk, name: str, edition: str) -> None:
    zip_of_it = zipped({"ReadMe.txt": "x", "folder/2019_SML.csv": csv()})
    desk.write(zip_of_it if name.endswith(".zip") else csv(), name)
    desk.land()
    assert desk.values("select edition, year from io_tables") == [(edition, 2019)]


@pytest.mark.parametrize(
    "text",
    [
        csv(end="\r\n"),
        "\ufeff" + csv(),
        csv(header=["", *HAND["header"][1:]]),
        csv(delimiter=";"),
        csv(delimiter="\t"),
        csv(**{"AAA_C26": ["AAA_C26", "", "20", "80", "", "100"]}),
        csv(**{name: [f'"{field}"' for field in row] for name, row in HAND.items()}),
        csv({name: [*row, ""] for name, row in HAND.items()}),
        csv().replace("TLS", "TAXSUB").replace("VA,", "VALU,").replace("\nOUT,", "\nOUTPUT,").replace(",OUT", ",TOTAL"),
        csv().replace("TLS", "AAA_TAXSUB"),
        csv().replace("AAA_HFCE", "HFCE_AAA").replace("BBB_HFCE", "HFCE_BBB"),
        "\n" + csv(),
    ],
    ids=[
        *("CRLF", "mark", "no V1", "semicolons", "tabs under .csv", "empty cells", "quotes", "a comma at the end"),
        *("labels of 2018", "taxes by country", "final use of 2016", "a blank line"),
    ],
)
def test_forms_of_one_table(desk: Desk, text: str) -> None:
    desk.write(text)
    desk.land()
    assert desk.values(FLOWS) == [("AAA", "C26", "BBB", "C29", 20e6)]
    assert desk.values(FINAL) == [("AAA", "C26", "AAA", 80e6), ("BBB", "C29", "BBB", 50e6)]
    assert desk.values(OUTPUT)[1] == ("BBB", "C29", 50e6, 29e6, 1e6)


def test_a_file_that_is_not_utf8_is_read_where_its_labels_are_plain(desk: Desk) -> None:
    desk.write(csv().replace("V1", "L\u00e4nder").encode("latin-1"))
    desk.land()
    assert desk.values(FLOWS) == [("AAA", "C26", "BBB", "C29", 20e6)]


def test_labels_are_split_at_the_first_line_only(desk: Desk) -> None:
    desk.write(csv().replace("AAA_C26", "CHN_C17_18").replace("AAA_HFCE", "CHN_HFCE"))
    desk.land()
    assert desk.values(FLOWS) == [("CHN", "C17_18", "BBB", "C29", 20e6)]


def test_parts_of_an_economy_are_added_to_it(desk: Desk) -> None:
    """China's own row and column are 0: both parts make China, once."""
    desk.write(
        csv(
            {
                "header": ["V1", "CHN_C26", "CN1_C26", "CN2_C26", "MX1_C26", "CHN_HFCE", "MEX_HFCE", "OUT"],
                "CHN": ["CHN_C26", "0", "0", "0", "0", "0", "0", "0"],
                "CN1": ["CN1_C26", "0", "1", "2", "4", "10", "1", "18"],
                "CN2": ["CN2_C26", "0", "3", "5", "6", "20", "2", "36"],
                "MX1": ["MX1_C26", "0", "7", "8", "0", "0", "5", "20"],
                "VA": ["VA", "0", "7", "21", "10", "0", "0", "0"],
            }
        )
    )
    counts = desk.land().counts["2019"]
    assert desk.values(FLOWS) == [
        ("CHN", "C26", "CHN", "C26", 11e6),
        ("CHN", "C26", "MEX", "C26", 10e6),
        ("MEX", "C26", "CHN", "C26", 15e6),
    ]
    assert desk.values(OUTPUT) == [("CHN", "C26", 54e6, 28e6, None), ("MEX", "C26", 20e6, 10e6, None)]
    assert desk.values(FINAL) == [("CHN", "C26", "CHN", 30e6), ("CHN", "C26", "MEX", 3e6), ("MEX", "C26", "MEX", 5e6)]
    assert counts.rules["added_up"] == counts.rows_read - counts.landed == 9


def test_discrepancy_is_used_at_home_where_output_holds_it(desk: Desk) -> None:
    header = ["V1", "AAA_C26", "BBB_C29", "HFCE_AAA", "HFCE_BBB", "DISC", "TOTAL"]
    with_it = {
        "header": header,
        "AAA_C26": ["AAA_C26", "0", "20", "75", "0", "5", "100"],
        "BBB_C29": ["BBB_C29", "0", "0", "0", "50", "0", "50"],
    }
    desk.write(csv(with_it))
    desk.land()
    assert desk.values(FINAL)[0] == ("AAA", "C26", "AAA", 80e6)
    desk.write(csv(with_it, **{"AAA_C26": ["AAA_C26", "0", "20", "80", "0", "5", "100"]}))
    desk.land()
    assert desk.values(FINAL)[0] == ("AAA", "C26", "AAA", 80e6)


def test_changes_of_inventories_may_be_negative_and_are_summed(desk: Desk) -> None:
    names = ["V1", "AAA_C26", "BBB_C29", "AAA_HFCE", "AAA_INVNT", "BBB_DPABR", "OUT"]
    desk.write(
        csv(
            {
                "header": names,
                "AAA_C26": ["AAA_C26", "0", "20", "90", "-10", "0", "100"],
                "BBB_C29": ["BBB_C29", "0", "0", "0", "0", "-5", "-5"],
            }
        )
    )
    landed = desk.land()
    # B's output is below 0: what was delivered to it counts as final use there.
    assert desk.values(FINAL) == [("AAA", "C26", "AAA", 80e6), ("AAA", "C26", "BBB", 20e6), ("BBB", "C29", "BBB", -5e6)]
    assert any("20,000,000 USD" in warning for warning in landed.warnings)


def test_a_sector_without_output_has_no_flows_and_what_it_got_is_final_use(desk: Desk) -> None:
    desk.write(
        csv(
            {
                "header": ["V1", "AAA_C26", "BBB_C29", "BBB_T", "AAA_HFCE", "BBB_HFCE", "OUT"],
                "AAA_C26": ["AAA_C26", "0", "20", "2", "78", "0", "100"],
                "BBB_C29": ["BBB_C29", "0", "0", "0", "0", "50", "50"],
                "BBB_T": ["BBB_T", "0", "0", "0", "0", "0", "0"],
            }
        )
    )
    landed = desk.land()
    assert desk.values(FLOWS) == [("AAA", "C26", "BBB", "C29", 20e6)]
    assert ("AAA", "C26", "BBB", 2e6) in desk.values(FINAL)
    assert desk.values("select dropped_flows, dropped_flows_usd from io_tables") == [(1, 2e6)]
    assert landed.counts["2019"].rules == {"dropped_flow": 1}
    assert desk.values("select sector, gross_output_usd from io_output where not gross_output_usd > 0") == [("T", 0)]


def test_the_compact_pair_with_and_without_final_use(desk: Desk) -> None:
    for name, body in (pair() | pair("other", final_flows=b"")).items():
        desk.write(body, name)
    desk.land()
    assert desk.values("select edition, has_final, is_complete from io_tables order by all") == [
        ("e", True, False),
        ("other", False, False),
    ]
    assert desk.values("select distinct src_iso3, dst_sector, value_usd from io_flows") == [("AAA", "C29", 20e6)]
    assert desk.values("select edition, src_iso3, value_usd from io_final order by all") == [
        ("e", "AAA", 80e6),
        ("e", "BBB", 50e6),
    ]
    assert desk.values("select distinct value_added_usd, taxes_usd from io_output") == [(None, None)]


def test_output_of_a_compact_pair_is_the_file_of_output(desk: Desk) -> None:
    """Single precision and small cells left out: its rows need not add up."""
    output = {"country": ["AAA", "BBB"], "sector": ["C26", "C29"], "gross_output_usd_mn": [150.0, 50.0]}
    for name, body in pair(output=parquet(output), final_flows=b"").items():
        desk.write(body, name)
    desk.land()
    assert desk.values("select gross_output_usd from io_output order by all") == [(50e6,), (150e6,)]


def test_of_two_files_of_one_table_the_one_retrieved_last_is_used(desk: Desk) -> None:
    desk.write(csv(), "2019_SML.csv")
    desk.land()
    later = csv(**{"BBB_C29": ["BBB_C29", "0", "0", "0", "60", "60"]})
    desk.write(zipped({"2019_SML.csv": later}), "new.zip")
    load = desk.load()
    landed = desk.land()
    assert load.entries
    assert desk.values("select gross_output_usd from io_output where country_iso3 = 'BBB'") == [(60e6,)]
    assert landed.counts["2019"].rules == {"superseded_file": 1}
    assert any("not used, a newer file" in warning for warning in landed.warnings)


def test_years_land_one_by_one_and_stay_when_nothing_changed(desk: Desk) -> None:
    for year in (2018, 2019):
        desk.write(csv(), f"{year}_SML.csv")
    desk.land(2018)
    assert list(yearly.landed_years(desk.landing, "chains")) == [2018]
    assert desk.values("select rule, n from chains_rule_counts where year is null and n > 0 order by all") == [
        ("rows_read", 1),
        ("year_not_requested", 1),
    ]
    before = yearly.landed_years(desk.landing, "chains")
    assert desk.land(2018).notes == {"notes": ["2018 is landed already"]}
    desk.land()
    assert yearly.landed_years(desk.landing, "chains")[2018] == before[2018]
    desk.write(csv(**{"VA": ["VA", "90", "29", "0", "0", "0"]}), "2019_SML.csv")
    desk.land()
    assert yearly.landed_years(desk.landing, "chains")[2018] == before[2018]


def test_every_number_is_accounted_for(desk: Desk) -> None:
    desk.write(csv())
    desk.land()
    counts = dict(desk.values("select rule, sum(n)::bigint from chains_rule_counts where year = 2019 group by 1"))
    assert counts["rows_read"] == counts["landed"] == 5
    assert counts["noted:without_output"] == counts["noted:negative_final_use"] == 0


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (csv(AAA_C26=["AAA_C26", "0", "-20", "120", "0", "100"]), ["row AAA_C26, column BBB_C29", "-20"]),
        (csv(AAA_C26=["AAA_C26", "0", "20", "80", "0", "nan"]), ["row AAA_C26, column OUT", "nan"]),
        (csv(AAA_C26=["AAA_C26", "0", "20", "80", "0", "105"]), ["row AAA_C26", "100.000000", "105.000000"]),
        (csv(AAA_C26=["AAA_C26", "0", "x", "80", "0", "100"]), ["line 2, column BBB_C29", "'x'"]),
        (csv(AAA_C26=["AAA_C26", "0", "20", "80"]), ["line 2", "3 numbers"]),
        (csv(header=["V1", "AAA_C26", "AAA_C26", "AAA_HFCE", "BBB_HFCE", "OUT"]), ["the column AAA_C26 twice"]),
        (csv(header=["V1", "AAA_C26", "BBB_C29", "AAA_HFCE", "BBB_XYZ", "OUT"]), ["column", "BBB_XYZ"]),
        (csv(header=["V1", "AAA_C26", "BBB_C29", "AAA_HFCE", "what", "OUT"]), ["column 'what'", "no edition has"]),
        (csv(CCC=["CCC_C29", "0", "0", "0", "50", "50"]), ["the row CCC_C29, which has no column"]),
        (csv(AGAIN=HAND["BBB_C29"]), ["the row BBB_C29 twice"]),
        (csv({n: r for n, r in HAND.items() if n != "BBB_C29"}), ["column without its row BBB_C29"]),
        (csv(more=["something", "0", "0", "0", "0", "0"]), ["row 'something'"]),
        (csv({"header": HAND["header"]}), ["no row"]),
        ("V1,OUT\n", ["no column of a country and sector"]),
        ("<html><body>Access denied</body></html>", ["HTML", "Access denied"]),
        ("a,b\n1,2\n", ["column 'b'"]),
        (b"PK\x03\x04" + b"x" * 50, ["zip content"]),
    ],
    ids=[
        *("negative", "NaN", "unbalanced", "no number", "short", "column twice", "unknown use", "unknown column"),
        *(
            "row without column",
            "row twice",
            "not square",
            "unknown row",
            "no rows",
            "no columns",
            "page",
            "other",
            "zip",
        ),
    ],
)
def test_a_table_with_a_fault_is_refused(desk: Desk, table: str | bytes, expected: list[str]) -> None:
    desk.write(table)
    refused(desk, "2019_SML.csv", *expected)


def test_a_row_of_output_stands_in_for_the_column(desk: Desk) -> None:
    without = {name: row[:-1] for name, row in HAND.items()}
    desk.write(csv(without))
    desk.land()
    desk.write(csv(without, OUT=["OUT", "100", "55", "0", "0"]))
    refused(desk, "row BBB_C29", "50.000000", "55.000000")


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("x.zip", zipped({"readme.txt": "x"}), ["a zip without a table: readme.txt", "YYYY_SML.csv"]),
        ("x.zip", zipped({"2019_SML.csv": csv()})[:-40], ["truncated zip"]),
        ("x.zip", zipped({"2019_SML.csv": "<html>denied</html>"}), ["x.zip!2019_SML.csv", "HTML"]),
        ("2019_SML.csv", "", ["empty file"]),
        ("e_2019_output.parquet", b"no parquet", ["Parquet"]),
    ],
)
def test_a_file_with_a_fault_is_refused(desk: Desk, name: str, body: str | bytes, expected: list[str]) -> None:
    desk.write(body, name)
    refused(desk, name, *expected)


def flows(**changes: list[Any]) -> bytes:
    return parquet(
        {
            **{"src_country": ["AAA"], "src_sector": ["C26"], "dst_country": ["BBB"], "dst_sector": ["C29"]},
            "intermediate_usd_mn": [20.0],
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"intermediate_flows": flows(intermediate_usd_mn=[-1.0])}, ["flow -1 from AAA_C26 to BBB_C29"]),
        ({"intermediate_flows": flows(intermediate_usd_mn=[None])}, ["flow nan from AAA_C26"]),
        ({"intermediate_flows": flows(dst_country=["XXX"])}, ["flows of XXX_C29, which has no row"]),
        ({"intermediate_flows": flows(dst_country=pa.array([None], pa.string()))}, ["rows without dst_country"]),
        ({"intermediate_flows": parquet({"a": [1]})}, ["only the columns a", "src_country"]),
        (
            {
                "intermediate_flows": flows(
                    **{n: [v] * 2 for n, v in (("src_country", "AAA"), ("src_sector", "C26"))},
                    **{n: [v] * 2 for n, v in (("dst_country", "BBB"), ("dst_sector", "C29"))},
                    intermediate_usd_mn=[1.0, 2.0],
                )
            },
            ["flow from AAA_C26 to BBB_C29 twice"],
        ),
        (
            {"output": parquet({"country": ["AAA"] * 2, "sector": ["C26"] * 2, "gross_output_usd_mn": [1.0, 2.0]})},
            ["the row AAA_C26 twice"],
        ),
        (
            {"output": parquet({"country": ["AAA"], "sector": ["C26"], "gross_output_usd_mn": [float("nan")]})},
            ["row AAA_C26", "nan"],
        ),
        ({"output": b""}, ["no e_2019_output.parquet beside it"]),
    ],
)
def test_a_pair_with_a_fault_is_refused(desk: Desk, changes: dict[str, bytes], expected: list[str]) -> None:
    for name, body in pair(**changes).items():
        desk.write(body, name)
    refused(desk, *expected)


def test_published_measures_land_whatever_the_years(desk: Desk) -> None:
    desk.write(csv())
    head = "country_iso3,sector,forward_participation,backward_participation,forward_domestic,backward_domestic\n"
    desk.write(f"{head}ARG,A01,0.1,0.2,0.3,\n", "leather_published_values.csv")
    desk.write("year,country_iso3,sector,upstreamness,downstreamness\n2011,AUS,c1,2.5,NA\n",
               "published_antras_chor_wiod2013_measures.csv")  # fmt: skip
    desk.land()
    assert desk.values("from io_published order by all") == [
        ("wiod2013", 2011, "AUS", "c1", "upstreamness", 2.5),
        (None, None, "ARG", "A01", "backward_participation", 0.2),
        (None, None, "ARG", "A01", "forward_domestic", 0.3),
        (None, None, "ARG", "A01", "forward_participation", 0.1),
    ]
    desk.write(f"{head}ARG,A01,x,0.2,0.3,0.4\n", "leather_published_values.csv")
    refused(desk, "leather_published_values.csv, line 2", "'x'")
    desk.write("country_iso3,sector\nARG,A01\n", "leather_published_values.csv")
    refused(desk, "leather_published_values.csv", "forward_participation")


def test_an_exporter_that_no_table_has_is_refused_where_it_was_chosen(tmp_path: Path) -> None:
    desk = Desk(tmp_path, shock_exporters=(36,))
    desk.write(csv())
    desk.landing.mkdir()
    pq.write_table(pa.table({"country_code": [36], "iso3": ["AUS"]}), desk.landing / "countries.parquet")
    with pytest.raises(SettingError, match=r"36 \(AUS\), in no table.*AAA, BBB"):
        desk.land()
    desk.write(csv().replace("AAA", "AUS"))
    desk.land()


HEAD = "country_iso3,sector,kg_co2_per_usd"
INTENSITIES = "select country_iso3, sector, kg_co2_per_usd, source_row from io_emissions order by all"


def intensities(desk: Desk, *rows: str, name: str = "emissions_icio_sml_2019.csv", head: str = HEAD) -> None:
    desk.write("\n".join([head, *rows]) + "\n", name)


def test_intensities_land_beside_their_table(desk: Desk) -> None:
    """By hand: two are landed, one is there twice and says the same, one is empty; the others cannot be used."""
    desk.write(csv())
    intensities(
        desk,
        *("AAA,C26,2.5", "BBB,C29,0.5", "AAA,C26,2.50", "AAA,C26,NA", "CCC,C26,1", "CN1,C26,1", "AAA,C26"),
    )
    landed = desk.land()
    assert desk.values(INTENSITIES) == [("AAA", "C26", 2.5, 2), ("BBB", "C29", 0.5, 3)]
    found = "select reason, source_row, raw from quarantine_chains order by source_row"
    assert desk.values(found) == [
        ("unknown_label", 6, "CCC,C26,1"),
        ("part_of_economy", 7, "CN1,C26,1"),
        ("malformed_row", 8, "AAA,C26"),
    ]
    counts = "select rule, n from chains_rule_counts where source = 'io_emissions/icio_sml' order by rule"
    assert dict(desk.values(counts)) == {
        **{"rows_read": 7, "landed": 2, "duplicate_equal": 1, "no_intensity": 1},
        **{"quarantined:malformed_row": 1, "quarantined:part_of_economy": 1, "quarantined:unknown_label": 1},
    }
    assert landed.counts["2019"].landed == 5 + 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [("AAA,C26,-1", "bad_intensity"), ("AAA,C26,x", "bad_intensity"), ("AAA,C26,inf", "bad_intensity")],
)
def test_an_intensity_that_is_none_goes_to_quarantine(desk: Desk, row: str, reason: str) -> None:
    desk.write(csv())
    intensities(desk, row, "BBB,C29,1")
    desk.land()
    assert desk.values("select reason, raw from quarantine_chains") == [(reason, row)]
    assert desk.values(INTENSITIES) == [("BBB", "C29", 1.0, 3)]


def test_two_intensities_of_one_label_are_both_unusable(desk: Desk) -> None:
    desk.write(csv())
    intensities(desk, "AAA,C26,1", "AAA,C26,2")
    desk.land()
    assert desk.values("select reason, source_row from quarantine_chains order by all") == [
        ("conflicting_duplicate", 2),
        ("conflicting_duplicate", 3),
    ]


def test_changed_intensities_land_their_year_again_and_the_newest_file_counts(desk: Desk) -> None:
    for year in (2018, 2019):
        desk.write(csv(), f"{year}_SML.csv")
    intensities(desk, "AAA,C26,1")
    desk.land()
    before = yearly.landed_years(desk.landing, "chains")
    intensities(desk, "AAA,C26,3", name="new/emissions_ICIO_sml_2019.CSV")
    landed = desk.land()
    assert yearly.landed_years(desk.landing, "chains")[2018] == before[2018]
    # Both lie in the folder and are retrieved at once: the last by name is used.
    assert desk.values("select year, kg_co2_per_usd from io_emissions") == [(2019, 3.0)]
    assert any("emissions_icio_sml_2019.csv: not used" in warning for warning in landed.warnings)


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("emissions_icio_sml_2018.csv", HEAD, ["no table of that edition and year", "icio_sml_2019"]),
        ("emissions_icio_2019.csv", HEAD, ["no table of that edition and year", "icio_sml_2019"]),
        ("emissions_icio_sml_2019.csv", "country_iso3,sector,g_per_usd", ["column kg_co2_per_usd", "g_per_usd"]),
    ],
)
def test_intensities_that_belong_to_nothing_are_refused(desk: Desk, name: str, head: str, expected: list[str]) -> None:
    desk.write(csv())
    intensities(desk, "AAA,C26,1", name=name, head=head)
    refused(desk, name, *expected)


def test_a_file_of_intensities_without_a_row_is_refused(desk: Desk) -> None:
    desk.write(csv())
    intensities(desk)
    refused(desk, "emissions_icio_sml_2019.csv", "a header and no row")
