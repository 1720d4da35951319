"""The checks of political exposure: all pass on sound tables, and each fails on the fault it is there for.

The sound tables are worked out by hand (measures-chains section 3): China buys 850110 of the United States (60) and
Japan (40), 850120 of Taiwan (100); Australia buys 850110 of the United States (90) and Japan (10).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Stage
from dagster_project.datasets.politics.mart_checks import POLITICS_MARTS
from tests.helpers.check_cases import Case, add, assert_fails, assert_passes, case, each, not_passed, rows, scripted

# With points CHN 0, JPN 1, AUS 2, USA 3 the mean distance of all pairs is 5/3, its terciles 1 and 2, the largest 3;
# China's own mean is 2, Australia's 4/3.
SOUND = scripted("""
    create table int_year_settings as select 2018 as year, 'bec4_intermediate' as product_scope;
    create table stg_products as
        select hs6, '42' as bec4, 'INT' as bec5 from (values ('850110'), ('850120')) as t (hs6);
    create table stg_countries as from (values (36, 'AUS'), (156, 'CHN'), (392, 'JPN'), (490, 'TWN'), (842, 'USA'))
        as t (country_code, iso3);
    create table trade_flows as from (values
        (2018, 156, 842, '850110', 60.0::double), (2018, 156, 392, '850110', 40.0), (2018, 156, 490, '850120', 100.0),
        (2018, 36, 842, '850110', 90.0), (2018, 36, 392, '850110', 10.0), (2018, 490, 156, '850120', 100.0)
    ) as t (year, importer_code, exporter_code, hs6, value_usd);
    create table stg_ideal_points as from (values
        ('CHN', 2018, 0.0::double), ('JPN', 2018, 1.0), ('AUS', 2016, 2.0), ('USA', 2018, 3.0), ('CHN', 2017, 9.0),
        ('FRA', 2015, 9.0)
    ) as t (iso3, year, ideal_point);
    create table ideal_point_areas as select 'HKG' as iso3, 'CHN' as state_iso3;
    create table int_ideal_points as
        select iso3, 2018 as year, ideal_point, 2018 as ideal_point_year, 1 as n_states from stg_ideal_points
        where year = 2018;
    create table int_political_years as
        select 2018 as year, 4::bigint as n_states, 5 / 3 as mean_distance, 1.0::double as close_limit,
            2.0::double as distant_limit, 3.0::double as largest_distance;
    create table political_exposure_supplier as
        select 2018 as year, importer_code, exporter_code, v::double as import_value_usd, v / imports as share,
            d::double as distance, closeness, v * s / imports as risk_econ, v * s / imports * g as risk_distance,
            v * s / imports * own as risk_distance_own, v * s / imports * kappa as risk_capability,
            v * s / imports * kappa * g as risk_pol, v * s / imports * kappa * own as risk_pol_own
        from (values
            (156, 842, 60, 0.6, 200, 3, 1.8, 1.5, 1.5, 'distant'), (156, 392, 40, 0.4, 200, 1, 0.6, 0.5, 0.5, 'close'),
            (156, 490, 100, 1, 200, null, 1, 1, 1, 'unscored'),
            (36, 842, 90, 0.9, 100, 1, 0.6, 0.75, 1.5, 'close'), (36, 392, 10, 0.1, 100, 1, 0.6, 0.75, 0.5, 'close'),
            (490, 156, 100, 1, 100, null, null, null, 1, null)
        ) as t (importer_code, exporter_code, v, s, imports, d, g, own, kappa, closeness);
    create table political_exposure as
        select *, rank() over (order by round(risk_econ, 12) desc) as rank_risk_econ,
            case when risk_pol is not null then rank() over (order by round(risk_pol, 12) desc nulls last) end
                as rank_risk_pol,
            case when risk_pol is not null then rank() over (order by round(risk_pol_own, 12) desc nulls last) end
                as rank_risk_pol_own
        from (
            select *, risk_distance / risk_econ as distance_ratio, risk_distance_own / risk_econ as distance_ratio_own,
                risk_pol / risk_capability as pol_ratio, risk_pol_own / risk_capability as pol_ratio_own,
                10 * mean_distance / 3 as geopolitical_distance_10
            from (
                select year, importer_code, sum(import_value_usd) as import_value_usd, count(*) as n_suppliers,
                    sum(risk_econ) as risk_econ, sum(risk_distance) as risk_distance,
                    sum(risk_distance_own) as risk_distance_own, sum(risk_capability) as risk_capability,
                    sum(risk_pol) as risk_pol, sum(risk_pol_own) as risk_pol_own,
                    sum(share * distance) / sum(share) filter (distance is not null) as mean_distance,
                    case when bool_or(closeness is not null) then sum((closeness = 'close')::integer * share) end
                        as share_close,
                    case when bool_or(closeness is not null) then 0.0 end as share_middle,
                    case when bool_or(closeness is not null) then sum((closeness = 'distant')::integer * share) end
                        as share_distant,
                    case when bool_or(closeness is not null) then sum((closeness = 'unscored')::integer * share) end
                        as share_unscored
                from political_exposure_supplier group by all
            )
        );
    create table political_exposure_industry as select '85' as hs2, * from political_exposure;
""")
OF_CHINA = {"year": 2018, "importer_code": 156}
CASES = [
    case(
        "two states under one code in a year of trade",
        rows("int_ideal_points", iso3="JPN").set(n_states=2),
        fails="political_exposure.one_state_per_code",
        shows={"iso3": "JPN", "year": 2018, "n_states": 2},
    ),
    case(
        "trade three years after the last session",
        add("int_year_settings", {"year": 2021}),
        fails="political_exposure.years_have_a_session",
        shows={"year": 2021, "last_session": 2018},
    ),
    case(
        "a year in which one state has a point",
        rows("int_political_years").set(n_states=1, mean_distance=None),
        fails="political_exposure.years_can_be_measured",
        shows={"year": 2018, "n_states": 1},
    ),
    case(
        "a risk by the wrong mean distance",
        rows("political_exposure", **OF_CHINA).set(risk_distance=0.9),
        fails="political_exposure.recomputed_from_flows",
        shows={**OF_CHINA, "risk_distance": 0.9},
    ),
    case(
        "an importer without a row",
        rows("political_exposure", **OF_CHINA).remove(),
        fails="political_exposure.recomputed_from_flows",
        shows={"rank_risk_pol": 2, "importer_code": 36},
    ),
    case(
        "Taiwan's goods counted as a friend's",
        rows("political_exposure", **OF_CHINA).set(share_close=0.7, share_unscored=0.0),
        fails="political_exposure.recomputed_from_flows",
        shows={"share_close": 0.7, "share_unscored": 0.0},
    ),
    case(
        "a place that is not the risk's",
        rows("political_exposure", **OF_CHINA).set(rank_risk_pol_own=3),
        fails="political_exposure.recomputed_from_flows",
        shows={**OF_CHINA, "rank_risk_pol_own": 3},
    ),
    case(
        "no row at all",
        rows("political_exposure").remove(),
        fails="political_exposure.recomputed_from_flows",
        shows={"observed_value": 0},
    ),
    case(
        "an industry's capability of another year",
        rows("political_exposure_industry", **OF_CHINA).set(risk_capability=1.0),
        fails="political_exposure_industry.recomputed_from_flows",
        shows={**OF_CHINA, "risk_capability": 1.0},
    ),
    case(
        "a supplier in the wrong tercile",
        rows("political_exposure_supplier", exporter_code=842, importer_code=156).set(closeness="middle"),
        fails="political_exposure_supplier.recomputed_from_flows",
        shows={"closeness": "middle", "closeness_recomputed": "distant"},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(POLITICS_MARTS, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, POLITICS_MARTS, SOUND)


def test_what_a_user_can_only_be_told_warns() -> None:
    warning = {check.name for check in POLITICS_MARTS.checks if check.severity == "WARN"}
    assert warning == {"years_have_a_session", "years_can_be_measured"}


def test_a_year_left_out_is_told_with_what_to_do() -> None:
    stage = Stage("one", tuple(check for check in POLITICS_MARTS.checks if check.name == "years_have_a_session"))
    late = scripted("""
        create table int_year_settings as select 2024 as year;
        create table stg_ideal_points as select 2021 as year;
    """)
    (found,) = not_passed(stage, late).values()
    assert "trade of 2024: left out of the political marts" in found.message and "newer table" in found.message
