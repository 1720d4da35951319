"""The checks of input-output tables: all that block pass on the sample, and each fails on the fault it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.checks.engine import run
from dagster_project.datasets.chains.checks import CHAINS_LANDING
from dagster_project.datasets.chains.mart_checks import CHAINS_MARTS
from dagster_project.datasets.chains.sample import UNCLASSIFIED, WITHOUT_OUTPUT
from tests.helpers.built_chains import built, landed, marts
from tests.helpers.check_cases import Case, add, assert_fails, case, each, rows, sql

# What the sample's traps make warn.
WARNED = {
    "io_tables.no_flow_dropped",
    "io_tables.tables_cover_the_world",
    "gvc_position.sectors_classified",
    "shock_exposure_io.exporters_in_tables",
    "quarantine_chains.nothing_quarantined",
}
ONE = {"edition": "icio_sml", "country_iso3": "ARG", "sector": "A01"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("chains"))


LANDING_CASES = [
    case(
        "a flow of 0",
        rows("io_flows", src_iso3="ARG", src_sector="A01", dst_iso3="ARG", dst_sector="A01").set(value_usd=0),
        fails="io_flows.flows_plausible",
        shows={"src_iso3": "ARG"},
    ),
    case(
        "a flow twice",
        rows("io_flows", src_iso3="ARG", src_sector="A01", dst_iso3="ARG", dst_sector="A01").repeat(),
        fails="io_flows.flows_plausible",
        shows={"n_rows": 2},
    ),
    case(
        "a label at another place than in io_output",
        rows("io_output", country_iso3="ARG", sector="A01").set(position=99),
        fails="io_flows.flows_plausible",
        shows={"src_iso3": "ARG", "src_sector": "A01"},
    ),
    case(
        "a sector without output that delivers",
        rows("io_output", country_iso3="TUR", sector="C29").set(gross_output_usd=0),
        fails="io_flows.flows_plausible",
        shows={"country_iso3": "TUR", "sector": "C29"},
    ),
    case(
        "final use of a label without output",
        rows("io_output", country_iso3="DEU", sector="C29", edition="icio_sml").remove(),
        fails="io_final.final_use_known",
        shows={"src_iso3": "DEU", "src_sector": "C29"},
    ),
    case(
        "a final use that is none",
        rows("io_final", src_iso3="DEU", src_sector="C29", edition="icio_sml").set(value_usd=None),
        fails="io_final.final_use_known",
        shows={"edition": "icio_sml"},
    ),
    case(
        "ten times the output",
        rows("io_output", country_iso3="USA", sector="C26").set(gross_output_usd=sql("10 * gross_output_usd")),
        fails="io_output.output_in_balance",
        shows={"country_iso3": "USA", "sector": "C26"},
    ),
    case(
        "a value added that does not fit",
        rows("io_output", country_iso3="USA", sector="C26").set(value_added_usd=1),
        fails="io_output.value_added_fits",
        shows={"country_iso3": "USA", "value_added_usd": 1},
    ),
    case(
        "a table without countries",
        rows("io_tables", edition="icio_sml").set(n_countries=0),
        fails="io_tables.tables_landed",
        shows={"n_countries": 0},
    ),
    case(
        "flows that were left out",
        rows("io_tables", edition="icio_sml").set(dropped_flows=2),
        fails="io_tables.no_flow_dropped",
        shows={"edition": "icio_sml", "dropped_flows": 2},
    ),
    case(
        "a table without the rest of the world",
        rows("io_tables", edition="icio_ext").set(is_complete=False),
        fails="io_tables.tables_cover_the_world",
        shows={"edition": "icio_ext"},
    ),
    case(
        "a measure that is no number",
        add("io_published", {"measure": "upstreamness", "country_iso3": "AUS", "sector": "c1"}),
        fails="io_published.measures_are_numbers",
        shows={},
    ),
    case(
        "a number that was lost",
        rows("chains_rule_counts", rule="landed").set(n=sql("n - 1")),
        fails="chains_rule_counts.rows_accounted_for",
        shows={"year": 2019},
    ),
    case(
        "mostly sectors without output",
        rows("chains_rule_counts", rule="noted:without_output", source="oecd_icio/icio_sml").set(n=70_000),
        fails="chains_rule_counts.few_noted",
        shows={"n_noted": 70_000},
    ),
    case(
        "a negative intensity",
        rows("io_emissions", country_iso3="USA", sector="C26").set(kg_co2_per_usd=-1),
        fails="io_emissions.intensities_plausible",
        shows={"country_iso3": "USA", "sector": "C26"},
    ),
    case(
        "an intensity of a label that the table does not have",
        rows("io_emissions", country_iso3="USA", sector="C26").set(sector="X"),
        fails="io_emissions.intensities_plausible",
        shows={"country_iso3": "USA", "sector": "X"},
    ),
    case(
        "intensities in grams",
        rows("io_emissions").set(kg_co2_per_usd=sql("1000 * kg_co2_per_usd")),
        fails="io_emissions.intensities_in_kg",
        shows={"edition": "icio_ext"},
    ),
    case(
        "a sector without an intensity",
        rows("io_emissions", country_iso3="USA", sector="C26").remove(),
        fails="io_emissions.intensities_for_all_output",
        shows={"country_iso3": "USA", "first_sector": "C26", "n_sectors": 1},
    ),
    case(
        "an intensity that is none in quarantine",
        rows("quarantine_chains").set(reason="bad_intensity"),
        fails="quarantine_chains.nothing_quarantined",
        shows={"reason": "bad_intensity", "n_rows": 1},
    ),
    case(
        "most rows of a file in quarantine",
        rows("chains_rule_counts", source="io_emissions/icio_ext", rule="quarantined:part_of_economy").set(n=40),
        fails="quarantine_chains.few_quarantined",
        shows={"source": "io_emissions/icio_ext", "rows_quarantined": 40},
    ),
    case(
        "a quarantined row that was not counted",
        rows("quarantine_chains").repeat(),
        fails="quarantine_chains.counts_match_rows",
        shows={"reason": "part_of_economy", "rows_counted": 1, "rows_found": 2},
    ),
]
MART_CASES = [
    case(
        "value added that is used nowhere",
        rows("gvc_position", **ONE).set(value_added_usd=sql("2 * value_added_usd")),
        fails="gvc_position.value_added_is_final_output",
        shows={"edition": "icio_sml"},
    ),
    case(
        "a length below one stage",
        rows("gvc_position", **ONE).set(plv=0.9),
        fails="gvc_position.measures_plausible",
        shows={**ONE, "plv": 0.9},
    ),
    case(
        "a measure of a sector without output",
        rows("gvc_position", country_iso3="CHN", sector=WITHOUT_OUTPUT).set(plv=1),
        fails="gvc_position.measures_plausible",
        shows={"country_iso3": "CHN", "sector": WITHOUT_OUTPUT},
    ),
    *(
        case(
            f"another {measure}",
            rows("gvc_position", **ONE).set(**{measure: sql(f"1.00001 * {measure}")}),
            fails="gvc_position.recomputed_from_flows",
            shows=ONE,
        )
        for measure in (
            *("forward_participation", "backward_participation", "ply", "plv_gvc", "ply_gvc", "input_source_hhi"),
            *("lookthrough_foreign_share", "forward_simple", "backward_domestic", "exports_usd", "bm_participation"),
        )
    ),
    case(
        "another part that crossed one border",
        rows("gvc_position", **ONE).set(backward_simple=sql("1.001 * backward_simple")),
        fails="gvc_position.recomputed_from_flows",
        shows=ONE,
    ),
    case(
        "another first supplier",
        rows("gvc_position", **ONE).set(top_source_iso3="ARG"),
        fails="gvc_position.recomputed_from_flows",
        shows={**ONE, "top_source_iso3": "ARG"},
    ),
    case(
        "a sector that is missing",
        rows("gvc_position_country", edition="icio_sml", country_iso3="ARG", sector_group="all").remove(),
        fails="gvc_position_country.recomputed_from_sectors",
        shows={"edition": "icio_sml", "country_iso3": "ARG"},
    ),
    *(
        case(
            f"another {measure} of a country",
            rows("gvc_position_country", edition="icio_sml", country_iso3="ARG", sector_group="all").set(
                **{measure: sql(f"1.00001 * {measure}")}
            ),
            fails="gvc_position_country.recomputed_from_sectors",
            shows={"edition": "icio_sml"},
        )
        for measure in ("forward_participation", "plv_gvc", "kww_iv_share", "exports_usd")
    ),
    case(
        "value added that is not the file's",
        rows("gvc_position", country_iso3="USA", sector="C26").set(value_added_usd=1),
        fails="gvc_position.value_added_fits_the_file",
        shows={"country_iso3": "USA", "sector": "C26"},
    ),
    case(
        "participation above 1",
        rows("gvc_position", **ONE).set(forward_participation=1.1),
        fails="gvc_position.participation_within_bounds",
        shows={**ONE, "forward_participation": 1.1},
    ),
    case(
        "a sector that no list has",
        rows("gvc_position", **ONE).set(sector="Z99"),
        fails="gvc_position.sectors_classified",
        shows={"sector": "Z99"},
    ),
    case(
        "other shares of a supplier",
        rows("supplier_exposure", country_iso3="ARG", sector="A01").set(
            lookthrough_share=sql("0.9 * lookthrough_share")
        ),
        fails="supplier_exposure.recomputed_from_flows",
        shows={"edition": "icio_sml", "country_iso3": "ARG", "sector": "A01"},
    ),
    case(
        "more than all from abroad",
        rows("supplier_exposure", exporter_iso3="TUR", country_iso3="ARG", sector="A01").set(face_value_share=0.99),
        fails="supplier_exposure.recomputed_from_flows",
        shows={"country_iso3": "ARG", "sector": "A01"},
    ),
    case(
        "a loss that arrives nowhere",
        rows("shock_exposure_io", country_iso3="USA", sector="C26").set(final_use_loss_usd=0),
        fails="shock_exposure_io.recomputed_from_flows",
        shows={"exporter_iso3": "CHN"},
    ),
    case(
        "a loss that is not carried on",
        rows("shock_exposure_io", country_iso3="USA", sector="C26").set(propagated_loss_usd=sql("direct_loss_usd")),
        fails="shock_exposure_io.recomputed_from_flows",
        shows={"exporter_iso3": "CHN"},
    ),
    case(
        "an exporter that is in no table",
        add("stg_shock_exporters", {"exporter_code": 36, "exporter_iso3": "AUS", "cut": 0.02}),
        fails="shock_exposure_io.exporters_in_tables",
        shows={"exporter_iso3": "AUS", "edition": "icio_sml"},
    ),
    case(
        "carbon behind a product that is not behind what it is made of",
        rows("int_io_carbon", emitter_iso3="ROW", country_iso3="USA", sector="C26").set(kg_per_usd=9),
        fails="embodied_carbon.recomputed_from_flows",
        shows={"country_iso3": "USA", "sector": "C26"},
    ),
    case(
        "exports that hold twice their carbon",
        rows("embodied_carbon", edition="icio_ext", country_iso3="USA", sector="C26").set(embodied_carbon_t=1e9),
        fails="embodied_carbon.recomputed_from_flows",
        shows={"country_iso3": "USA", "sector": "C26"},
    ),
    case(
        "no carbon, and no reason",
        rows("embodied_carbon", edition="icio_sml", country_iso3="ARG", sector="A01").set(reason=None),
        fails="embodied_carbon.recomputed_from_flows",
        shows={"country_iso3": "ARG", "sector": "A01"},
    ),
    case(
        "a country without the carbon of one of its sectors",
        rows("embodied_carbon_country", edition="icio_ext", country_iso3="CHN").set(
            embodied_carbon_t=sql("0.5 * embodied_carbon_t")
        ),
        fails="embodied_carbon_country.recomputed_from_sectors",
        shows={"country_iso3": "CHN"},
    ),
]


def test_all_that_block_pass_on_the_sample_and_its_traps_warn(root: Path) -> None:
    outcomes = [*run(CHAINS_LANDING, landed(root)), *run(CHAINS_MARTS, marts(root))]
    failing = {f"{each.table}.{each.check}": each for each in outcomes if not each.passed}
    assert failing.keys() == WARNED, {name: each.message for name, each in failing.items()}
    assert {each.severity for each in failing.values()} == {"WARN"}
    assert failing["gvc_position.sectors_classified"].rows[0]["sector"] == UNCLASSIFIED
    assert "it has ARG, DEU, TUR" in failing["shock_exposure_io.exporters_in_tables"].message


@each(LANDING_CASES)
def test_checks_of_the_landing_fail(root: Path, case: Case) -> None:
    assert_fails(case, CHAINS_LANDING, landed(root))


@each(MART_CASES)
def test_checks_of_the_marts_fail(root: Path, case: Case) -> None:
    assert_fails(case, CHAINS_MARTS, marts(root))
