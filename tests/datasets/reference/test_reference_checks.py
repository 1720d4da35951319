"""The checks of the reference tables: all pass on sound tables, and each fails on the fault it is there for."""

from __future__ import annotations

from dagster_project.datasets.reference.checks import REFERENCE_LANDING
from tests.helpers.check_cases import (
    Case,
    add,
    assert_empty_tables_fail,
    assert_fails,
    assert_passes,
    case,
    each,
    holding,
    rows,
)
from tests.helpers.sound_reference import BATTERIES, EU, SPLIT, TWN, USA, WORLD, reference_tables, rule_count

SOUND = holding(reference_tables())

CASES = [
    case(
        "the European Union as a country",
        rows("countries", country_code=EU).set(is_country=True),
        fails="countries.countries_plausible",
        shows={"broken_rule": "a group is no country", "country_code": EU},
    ),
    case(
        "World as a country",
        rows("countries", country_code=WORLD).set(is_country=True, is_group=False, iso3="WLD"),
        fails="countries.countries_plausible",
        shows={"broken_rule": "World is no country", "country_code": WORLD},
    ),
    case(
        "Taiwan as an area that is no country",
        rows("countries", country_code=TWN).set(is_country=False),
        fails="countries.countries_plausible",
        shows={"broken_rule": "490 is Taiwan", "country_code": TWN},
    ),
    case(
        "a country that is there twice",
        rows("countries", country_code=USA).repeat(),
        fails="countries.countries_plausible",
        shows={"country_code": USA},
    ),
    case(
        "a product below another chapter than its own",
        rows("products", hs6=BATTERIES).set(hs2="99"),
        fails="products.products_plausible",
        shows={"hs6": BATTERIES, "hs2": "99"},
    ),
    case(
        "a code that lost one of the two it was split in",
        rows("hs_conversion", from_code=SPLIT, hs6=BATTERIES).remove(),
        fails="hs_conversion.weights_plausible",
        shows={"from_code": SPLIT, "sum_of_weights": 0.75},
    ),
    case(
        "a country under a code that is none of ISO's",
        rows("countries", country_code=USA).set(iso3="_US"),
        fails="countries.countries_have_codes",
        shows={"country_code": USA, "iso3": "_US"},
    ),
    case(
        "two countries that share a code of two letters",
        rows("countries", country_code=USA).set(iso2="CN"),
        fails="countries.countries_have_codes",
        shows={"iso2": "CN", "n_countries": 2, "names": "China, USA"},
    ),
    case(
        "one of four countries without a code of two letters",
        rows("countries", country_code=USA).set(iso2=None),
        fails="countries.few_countries_without_codes",
        shows={
            "without_code": 1,
            "countries": 4,
            "why": "1 of 4 countries have no ISO 3166 code, such as USA. Look at the columns of codes in the country "
            "lists.",
        },
    ),
    case(
        "one of eight products without a class in BEC Rev.5",
        rows("products", hs6=BATTERIES).set(bec5=None),
        fails="products.few_products_without_class",
        shows={"without_bec4": 0, "without_bec5": 1, "products": 8, "example": BATTERIES},
    ),
    case(
        "a third of the rows with a code that had lost its zero",
        add("reference_rule_counts", rule_count("noted:code_padded", 8, source="reference")),
        fails="reference_rule_counts.few_noted",
        shows={"source": "reference", "noted": "code_padded", "n_noted": 8, "out_of": 24},
    ),
    case(
        "a row that was read and is under no rule",
        rows("reference_rule_counts", rule="landed").set(n=1),
        fails="reference_rule_counts.rows_accounted_for",
        shows={"rows_accounted_for": 1},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(REFERENCE_LANDING, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, REFERENCE_LANDING, SOUND)


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(REFERENCE_LANDING, reference_tables())
