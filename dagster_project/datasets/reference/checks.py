"""Checks of the reference tables: are countries, products and conversion weights sound, and all rows accounted for?

Not here: whether they cover the trade that is loaded (see the staging checks of trade).
"""

from __future__ import annotations

from dagster_project.checks.accounting import accounting
from dagster_project.checks.declarations import Check, Stage, between, no_rows, not_empty, not_null, one_of, unique
from dagster_project.hs import REVISIONS, TAIWAN

WEIGHT_TOLERANCE = 1e-5  # each table sums to 1 within 1e-6, and up to six of them are chained

_WRONG_COUNTRIES = f"""
    select case
            when is_country and is_group then 'a group is no country'
            when is_country and iso3 is null then 'a country has an ISO3 code'
            when country_code = {TAIWAN} then '{TAIWAN} is Taiwan'
            else 'World is no country'
        end as broken_rule, *
    from {{batch}}
    where (is_country and is_group and country_code <> {TAIWAN}) or (is_country and country_code = 0)
        or (country_code = {TAIWAN} and (not is_country or iso3 is distinct from 'TWN'))
"""
_WRONG_PRODUCTS = """
    select * from {batch}
    where not regexp_matches(hs6, '^[0-9]{{6}}$') or hs2 is distinct from left(hs6, 2) or hs_revision is null
        or hs_revision <> (select min(hs_revision) from {batch})
"""
_UNBALANCED_WEIGHTS = f"""
    select from_revision, from_code, count(*) as n_targets, sum(weight) as sum_of_weights from {{batch}}
    group by all having abs(sum_of_weights - 1) > {WEIGHT_TOLERANCE}
"""


REFERENCE_LANDING = Stage(
    name="landing of reference tables",
    keys={
        "countries": ("country_code", "name"),
        "products": ("hs6",),
        "hs_conversion": ("from_revision", "from_code", "hs6"),
    },
    checks=(
        Check(
            "countries_plausible",
            "countries",
            "ERROR",
            f"Countries have distinct codes and names; World and groups are no countries, {TAIWAN} is Taiwan.",
            (
                not_empty(),
                not_null("country_code"),
                not_null("name"),
                unique("country_code"),
                no_rows(_WRONG_COUNTRIES),
            ),
        ),
        Check(
            "products_plausible",
            "products",
            "ERROR",
            "Products are six-digit codes of one HS revision, each once, below their chapter.",
            (not_empty(), not_null("hs6"), unique("hs6"), no_rows(_WRONG_PRODUCTS)),
        ),
        Check(
            "weights_plausible",
            "hs_conversion",
            "ERROR",
            "Conversion weights lie in (0, 1] and sum to 1 per source code: conversion neither makes nor loses value.",
            (
                one_of("from_revision", *REVISIONS),
                between("weight", 0, 1 + WEIGHT_TOLERANCE, strictly_above=True),
                no_rows(_UNBALANCED_WEIGHTS),
            ),
        ),
        *accounting("reference", about="reference_rule_counts", by=("source",)),
    ),
)
