"""The checks of published_benchmarks: all pass on a sound table, and each fails on the fault it is there for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from dagster_project.checks.views import CheckedData
from dagster_project.datasets.registry import DATASETS, figures_stage
from tests.helpers.check_cases import (
    Case,
    Row,
    Rows,
    assert_fails,
    assert_passes,
    case,
    each,
    holding,
    rows,
    scripted,
)


def figure(
    benchmark_id: str,
    *,
    kind: str,
    published: float,
    computed: float | None,
    tolerance: float = 0,
    verdict: str = "reproduced",
    dataset: str = "tariffs",
    years: str | None = None,
) -> dict[str, Any]:
    """A row of published_benchmarks."""
    return {
        "benchmark_id": benchmark_id,
        "dataset": dataset,
        "years": years,
        "published_value": float(published),
        "computed_value": computed if computed is None else float(computed),
        "difference": computed if computed is None else float(computed) - published,
        "tolerance": float(tolerance),
        "tolerance_kind": kind,
        "verdict": verdict,
        "inputs": "tariffs: source files (real)",
        "note": "",
    }


def source(dataset: str, name: str, *, is_synthetic: bool) -> Row:
    return {"dataset": dataset, "source": name, "is_synthetic": is_synthetic}


# One figure of each kind of tolerance, at its edge, one that differs and one without real inputs.
IDS = {
    "absolute": "xu_exclusion_list1",
    "relative": "gao_requests_total",
    "exact": "xu_core_field",
    "bound": "xu_joint_share_us_ratio_2018",
    "differs": "xu_covered_trade_list3",
    "politics": "xu_risk_us_unchanged_own",
    "spread": "xu_contagion_industries",
    "synthetic": "xu_goods_imported",
    "table": "unctad_shock_USA",
}
FIGURES = pa.Table.from_pylist(
    [
        {
            **figure(IDS["absolute"], kind="absolute", published=0.338, computed=0.339, tolerance=0.001),
            "difference": 0.001,
        },
        figure(IDS["relative"], kind="relative", published=53000, computed=52746, tolerance=0.01),
        figure(IDS["exact"], kind="exact", published=4, computed=4, dataset="patents", years="2018"),
        figure(IDS["bound"], kind="lower_bound", published=3, computed=3.5, dataset="patents", years="2018"),
        figure(IDS["differs"], kind="relative", published=200, computed=159, tolerance=0.15, verdict="differs"),
        figure(IDS["spread"], kind="exact", published=3, computed=1, dataset="contagion", verdict="differs"),
        figure(
            IDS["politics"],
            kind="absolute",
            published=1,
            computed=1.25,
            tolerance=0.1,
            verdict="differs",
            dataset="politics",
            years="2017",
        ),
        figure(
            IDS["synthetic"],
            kind="relative",
            published=3556,
            computed=None,
            tolerance=0.05,
            verdict="not computable from these inputs",
            dataset="trade",
        ),
        figure(IDS["table"], kind="relative", published=5.8, computed=6, tolerance=0.5, dataset="chains", years="2019"),
    ]
)
SOURCES = [
    source("tariffs", "files", is_synthetic=False),
    source("patents", "files", is_synthetic=False),
    source("politics", "files", is_synthetic=False),
    source("contagion", "files", is_synthetic=False),
    source("trade", "sample", is_synthetic=True),
    source("chains", "files", is_synthetic=False),
]
FIGURE_TABLES = holding(
    {
        "published_benchmarks": FIGURES,
        "published_figures": FIGURES.select(["benchmark_id", "published_value", "tolerance", "tolerance_kind"]),
        "stg_inputs": pa.Table.from_pylist(SOURCES),
    }
)
# What the figures are recomputed from: 339 of 1,000 decided requests of list 1 were granted, China's partners are the
# United States (2) and Japan (7), one of two industries has contagion, and China imports one good.
INPUTS = scripted("""
    create table stg_tariff_requests as
        select case when n < 1000 then '1' when n < 2000 then '2' when n < 3000 then '3' else '4A' end as list_id,
            case when n < 339 then 'granted' when n < 1000 then 'denied' else 'pending' end as status
        from range(52746) as t (n);
    create table exclusion_rates as select '3' as list_id, 159e9::double as covered_trade_usd;
    create table list_rate_history as
        select '3' as list_id, date '2019-05-10' as valid_from, null::date as valid_to, 0.25::double as rate;
    create table patent_collaboration as
        select 2018 as filing_year, 'CN' as country_iso2, partner_iso2, joint_applications::double as joint_applications
        from (values ('US', 2), ('JP', 7)) as t (partner_iso2, joint_applications);
    create table patent_country_summary as
        select 2018 as filing_year, 'CN' as country_iso2, 0.1::double as core_share, true as window_complete;
    create table patent_core_share as
        select 2018 as filing_year, 'CN' as country_iso2, field_id, 0.1::double as core_share, true as window_complete,
            applications::double as applications
        from (values ('4', 9), ('6', 8)) as t (field_id, applications);
    -- CHN 0, JPN 1, USA 3: the mean of the pairs is 2, as is China's own; terciles 1.67 and 2.33. China buys 60 of USA
    -- and 40 of JPN in one sector, 100 of TWN in another.
    create table stg_ideal_points as from (values ('CHN', 2017, 0.0::double), ('JPN', 2016, 1.0), ('USA', 2017, 3.0))
        as t (iso3, year, ideal_point);
    create table int_benchmark_coverage as select 'all_countries' as needs, 2017 as year, true as is_covered;
    create table ideal_point_areas as select 'HKG' as iso3, 'CHN' as state_iso3;
    create table int_political_io_supplies as from (values
        ('t', 2017, 'CHN', 'USA', 60.0::double, 36.0::double, 54.0::double), ('t', 2017, 'CHN', 'JPN', 40.0, 16.0, 8.0),
        ('t', 2017, 'CHN', 'TWN', 100.0, 100.0, 100.0), ('t', 2017, 'TWN', 'CHN', 50.0, 50.0, 50.0)
    ) as t (edition, year, importer_iso3, exporter_iso3, import_value_usd, squared_usd, capable_usd);
    create table political_exposure_io as from (values
        ('t', 2017, 'CHN', 200.0::double, 3::bigint, 0.76::double, 0.81::double, 0.81::double, 0.81::double,
            0.925::double, 0.925::double, 0.81 / 0.76, 0.925 / 0.81, 0.2::double, 0.5::double, 2.2::double, 22 / 3),
        ('t', 2017, 'TWN', 50.0, 1, 1.0, null, null, 1.0, null, null, null, null, null, null, null, null)
    ) as t (edition, year, importer_iso3, import_value_usd, n_suppliers, risk_econ, risk_distance, risk_distance_own,
        risk_capability, risk_pol, risk_pol_own, distance_ratio, pol_ratio_own, share_close, share_unscored,
        mean_distance, geopolitical_distance_10);
    create table political_exposure_supplier as
        select 2017 as year, importer_iso3, exporter_code, 0.25::double as risk_econ, 0.25::double as risk_distance,
            0.25::double as risk_distance_own, 0.5::double as risk_capability, 0.5::double as risk_pol,
            0.625::double as risk_pol_own
        from (values ('CHN'), ('USA')) as i (importer_iso3), (values (36), (76)) as e (exporter_code);
    create table stg_contagion_events as select 'huawei_2019' as event_id, 'sanction' as label;
    create table contagion_industries as
        select 'huawei_2019' as event_id, industry, 'm1p1' as "window", verdict, 1 as n_suppliers
        from (values ('A', 'contagion'), ('B', 'none')) as t (industry, verdict);
    create table contagion_firms as
        select 'huawei_2019' as event_id, 'A' as industry, 'm1p1' as "window", 'supplier' as role,
            null::varchar as reason, -0.04::double as car;
    -- Two importers and five countries' sectors: y = 2x + e in technology, 5 + e in labour, by hand.
    create table int_paradox_observations as
        select source, 'e' as edition, year, country, class || n as industry, class as sector_class,
            source = 'io' as is_chosen, y as vulnerability, y as vulnerability_mean, y as import_hhi_weighted,
            n as rca_sym, n as top3_share, y as input_source_hhi, y as imported_input_share,
            y as backward_participation, n as position, n as forward_participation
        from (values ('hs2', 2017, 'A'), ('hs2', 2017, 'B'), ('hs2', 2017, 'C'), ('io', 2017, 'CHN')) as s
                (source, year, country),
            (select n::double as n, class, case class when 'technology' then 2 * n else 5 end + e as y
            from (values (0, 0.1), (1, -0.1), (2, 0.0), (3, 0.0), (4, -0.1), (5, 0.1)) as t (n, e),
                (values ('technology'), ('labour')) as c (class));
    create table competitiveness_paradox_test as
        with levels as (
            from (values
                ('hs2_country', 'A', null, 6, sqrt(0.17 / 306.25 * 1.5)),
                ('hs2_country', 'B', null, 6, sqrt(0.17 / 306.25 * 1.5)),
                ('hs2_country', 'C', null, 6, sqrt(0.17 / 306.25 * 1.5)),
                ('io_country', 'CHN', null, 6, sqrt(0.17 / 306.25 * 1.5)), ('hs2_pooled', 'ALL', 3, 18, 0.0)
            ) as t (level, country, n_clusters, n_used, std_error)
        ),
        pairs as (
            select 'hs2' as source, r as reliance, c as competitiveness
            from (values ('vulnerability'), ('vulnerability_mean'), ('import_hhi_weighted')) as y (r),
                (values ('rca_sym'), ('top3_share')) as x (c)
            union all
            select 'io', r, c
            from (values ('input_source_hhi'), ('imported_input_share'), ('backward_participation')) as y (r),
                (values ('position'), ('forward_participation')) as x (c)
        )
        select level, 'e' as edition, 2017 as year_from, 2017 as year_to, country, reliance, competitiveness,
            sector_class, n_used::bigint as n_used, n_clusters::bigint as n_clusters, n_clusters < 20 as few_clusters,
            slope::double as slope, std_error::double as std_error, slope / nullif(std_error, 0) as t_value,
            null::double as p_value, null::double as wild_p_value
        from levels join pairs on starts_with(level, source),
            (values ('technology', 2), ('labour', 0), ('technology_minus_labour', 2)) as c (sector_class, slope);
    create table int_year_settings as
        select 2017 as year, 'bec4_intermediate' as product_scope, 3.0::double as price_trim;
    create table stg_products as select '850760' as hs6, '53' as bec4, 'INT' as bec5, 'H5' as hs_revision;
    create table price_sectors as
        select 'li_ion_batteries' as sector_id, '850760' as hs6, null::integer as from_year, 'H5' as hs_revision;
    create table trade_flows as
        select 2017 as year, 392 as exporter_code, 156 as importer_code, '850760' as hs6, 5.0::double as value_usd,
            1.0::double as quantity_kg, null::double as quantity_units, false as is_mirror;
    create table bilateral_totals as select year, exporter_code, importer_code, value_usd from trade_flows;
    create table stg_trade_flows as
        select 2017 as year, 'M' as flow, 156 as reporter_code, 392 as partner_code, 5.0::double as value_usd;
    create table product_centrality as
        select 2017 as year, '850760' as hs6, true as in_scope, 0.5::double as export_centrality;
    create table import_vulnerability as
        select 2017 as year, 'CHN' as importer_iso3, '850760' as hs6, '85' as hs2, true as in_scope,
            true as high_concentration, 5.0::double as import_value_usd, 1.0::double as vulnerability_index;
    create table gvc_position as
        select 'e' as edition, 2019 as year, 'USA' as country_iso3, 'C26' as sector, 0.1::double as plv,
            1.0::double as ply, 0.1::double as forward_participation, 0.1::double as backward_participation,
            1.0::double as gross_output_usd;
    create table shock_exposure_io as
        select 'e' as edition, 2019 as year, 'CHN' as exporter_iso3, 'USA' as country_iso3, 0.01::double as cut,
            1e9::double as direct_loss_usd, 3e9::double as propagated_loss_usd;
    create table stg_io_tables as select 'e' as edition, 2019 as year, 2 as n_countries, true as has_final;
    create table stg_io_final as select 'e' as edition, 2019 as year, 'USA' as dst_iso3, 7.0::double as value_usd;
    create table exclusion_value as from (values
        (2018, 5.0::double, 'CHOKEPOINT_US_CONSUMPTION'), (2019, 7.0, 'final use in the input-output table e')
    ) as t (year, final_consumption_usd, final_consumption_source);
    create table embodied_carbon_country as
        select 'e' as edition, 2019 as year, 'CHN' as country_iso3, null::double as embodied_carbon_t;
    create table stg_io_published as
        select null::varchar as edition, null::integer as year, 'USA' as country_iso3, 'C26' as sector,
            'forward_participation' as measure, 0.1::double as value;
    create table stg_countries as select 276 as country_code, 'DEU' as iso3;
    create table export_price_index as
        select 156 as exporter_code, '850760' as product_code, 2017 as year, 'baseline' as basis,
            null::double as chain_tornqvist, 2016 as chain_start_year;
    create table import_price_contribution as
        select 156 as exporter_code, 'all' as product_level, 2017 as year, 0.1::double as within,
            0.1::double as switching;
    create table country_memberships as select 'eu' as membership, 'DEU' as iso3, null::date as valid_to;
""")


def _setup(connection: Any) -> None:
    FIGURE_TABLES.setup(connection)
    INPUTS.setup(connection)


SOUND = CheckedData(_setup)


def of(kind: str, table: str = "published_benchmarks") -> Rows:
    return rows(table, benchmark_id=IDS[kind])


CASES = [
    case(
        "a figure that was not computed",
        of("exact").remove(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": IDS["exact"], "printed": 4.0, "in_the_mart": None},
    ),
    case(
        "a row of no published figure",
        of("exact", "published_figures").remove(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": IDS["exact"], "printed": None, "in_the_mart": 4.0},
    ),
    case(
        "every figure twice",
        rows("published_benchmarks").repeat(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": IDS["exact"]},
    ),
    case(
        "another value than was published",
        of("exact", "published_figures").set(published_value=5),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": IDS["exact"], "printed": 5.0, "in_the_mart": 4.0},
    ),
    case(
        "another tolerance than was declared",
        of("exact", "published_figures").set(tolerance=0.5),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": IDS["exact"]},
    ),
    case(
        "no row at all",
        rows("published_benchmarks").remove(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"observed_value": 0},
    ),
    case(
        "an unknown verdict",
        of("exact").set(verdict="close"),
        fails="published_benchmarks.verdicts_are_known",
        shows={"benchmark_id": IDS["exact"], "verdict": "close"},
    ),
    case(
        "no verdict",
        of("exact").set(verdict=None),
        fails="published_benchmarks.verdicts_are_known",
        shows={"benchmark_id": IDS["exact"], "verdict": None},
    ),
    case(
        "no word on the inputs",
        of("exact").set(inputs=None),
        fails="published_benchmarks.verdicts_are_known",
        shows={"benchmark_id": IDS["exact"], "inputs": None},
    ),
    case(
        "a verdict without a value",
        of("exact").set(computed_value=None, difference=None),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": IDS["exact"], "computed_value": None, "verdict": "reproduced"},
    ),
    case(
        "a value of a figure that is not computable",
        of("synthetic").set(computed_value=3556, difference=0),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": IDS["synthetic"], "computed_value": 3556.0},
    ),
    case(
        "a difference that is not the values'",
        of("exact").set(difference=-1),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": IDS["exact"], "computed_value": 4.0, "difference": -1.0},
    ),
    case(
        "a value without its difference",
        of("exact").set(difference=None),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": IDS["exact"], "computed_value": 4.0, "difference": None},
    ),
    case(
        "reproduced, though beyond the tolerance",
        of("differs").set(verdict="reproduced"),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": IDS["differs"], "verdict": "reproduced"},
    ),
    case(
        "differs, though within the tolerance",
        of("relative").set(verdict="differs"),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": IDS["relative"], "verdict": "differs"},
    ),
    case(
        "reproduced, though an absolute tolerance is exceeded",
        of("absolute").set(computed_value=0.3391, difference=0.0011),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": IDS["absolute"], "difference": 0.0011, "verdict": "reproduced"},
    ),
    case(
        "reproduced, though an exact figure is one off",
        of("exact").set(computed_value=3, difference=-1),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": IDS["exact"], "difference": -1.0, "verdict": "reproduced"},
    ),
    case(
        "reproduced, though a lower bound is only reached",
        of("bound").set(computed_value=3, difference=0),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": IDS["bound"], "difference": 0.0, "verdict": "reproduced"},
    ),
    case(
        "values from a synthetic dataset",
        rows("stg_inputs").set(is_synthetic=True),
        fails="published_benchmarks.nothing_from_synthetic_inputs",
        shows={"benchmark_id": IDS["exact"], "dataset": "patents", "source": "files", "computed_value": 4.0},
    ),
    case(
        "values from a dataset of unknown source",
        rows("stg_inputs", dataset="patents").remove(),
        fails="published_benchmarks.nothing_from_synthetic_inputs",
        shows={"benchmark_id": IDS["exact"], "dataset": "patents", "source": None, "computed_value": 4.0},
    ),
    case(
        "a share of approvals ten times what it is",
        of("absolute").set(computed_value=3.39),
        fails="published_benchmarks.tariff_figures_recomputed",
        shows={"benchmark_id": IDS["absolute"], "computed_value": 3.39, "recomputed_value": 0.339},
    ),
    case(
        "a slope of another class",
        rows("competitiveness_paradox_test", country="B", sector_class="labour", reliance="vulnerability").set(slope=2),
        fails="competitiveness_paradox_test.slopes_recomputed",
        shows={"country": "B", "sector_class": "labour", "slope": 2.0},
    ),
    case(
        "an error without its small-sample factor",
        rows("competitiveness_paradox_test", country="B", sector_class="technology").set(std_error=0.0235),
        fails="competitiveness_paradox_test.slopes_recomputed",
        shows={"country": "B", "std_error": 0.0235},
    ),
    case(
        "a test that is not there",
        rows("competitiveness_paradox_test", level="io_country", sector_class="technology").remove(),
        fails="competitiveness_paradox_test.slopes_recomputed",
        shows={"level": "io_country", "slope": None},
    ),
    case(
        "a difference that is not that of the slopes",
        rows("competitiveness_paradox_test", country="A", sector_class="technology_minus_labour").set(slope=1.5),
        fails="competitiveness_paradox_test.differences_follow_from_slopes",
        shows={"country": "A", "difference": 1.5, "technology": 2.0},
    ),
    case(
        "a test by three clusters that does not say how few they are",
        rows("competitiveness_paradox_test", level="hs2_pooled", sector_class="labour").set(few_clusters=False),
        fails="competitiveness_paradox_test.few_clusters_are_told",
        shows={"level": "hs2_pooled", "n_clusters": 3},
    ),
    case(
        "an importer's inputs without Taiwan's",
        rows("political_exposure_io", importer_iso3="CHN").set(risk_econ=0.52, share_unscored=0.0),
        fails="political_exposure_io.recomputed_from_points",
        shows={"importer_iso3": "CHN", "risk_econ": 0.52, "share_unscored": 0.0},
    ),
    case(
        "consumption that is not the final use of the table it names",
        rows("exclusion_value", year=2019).set(final_consumption_usd=8),
        fails="exclusion_value.consumption_of_tables",
        shows={"year": 2019, "final_consumption_usd": 8.0, "usd": 7.0},
    ),
    case(
        "what politics adds is twice what the suppliers add",
        of("politics").set(computed_value=2.5),
        fails="published_benchmarks.politics_figures_recomputed",
        shows={"benchmark_id": IDS["politics"], "computed_value": 2.5, "recomputed_value": 1.25},
    ),
    case(
        "a ratio of joint applications half of what it is",
        of("bound").set(computed_value=1.75),
        fails="published_benchmarks.patent_figures_recomputed",
        shows={"benchmark_id": IDS["bound"], "computed_value": 1.75, "recomputed_value": 3.5},
    ),
    case(
        "a figure from other years than it says",
        of("bound").set(years="2017"),
        fails="published_benchmarks.patent_figures_recomputed",
        shows={"benchmark_id": IDS["bound"], "recomputed_value": None},
    ),
    case(
        "an industry too many",
        of("spread").set(computed_value=2),
        fails="published_benchmarks.contagion_figures_recomputed",
        shows={"benchmark_id": IDS["spread"], "computed_value": 2.0, "recomputed_value": 1.0},
    ),
    case(
        "one good too many",
        of("synthetic").set(computed_value=2, years="2017"),
        fails="published_benchmarks.trade_figures_recomputed",
        shows={"benchmark_id": IDS["synthetic"], "computed_value": 2.0, "recomputed_value": 1.0},
    ),
    case(
        "a loss ten times what it is",
        of("table").set(computed_value=60),
        fails="published_benchmarks.chain_figures_recomputed",
        shows={"benchmark_id": IDS["table"], "computed_value": 60.0, "recomputed_value": 6.0},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(figures_stage(), SOUND)


@each(CASES)
def test_a_fault_is_found(case: Case) -> None:
    assert_fails(case, figures_stage(), SOUND)


def test_figures_of_a_dataset_that_is_off_are_not_recomputed() -> None:
    """Its tables are not there; no figure can have been computed from it."""
    names = {check.name for check in figures_stage([each for each in DATASETS if each.name != "patents"]).checks}
    assert "tariff_figures_recomputed" in names
    assert "patent_figures_recomputed" not in names
