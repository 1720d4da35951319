"""Checks of the reference tables: are countries, products and conversion weights sound, and all rows accounted for?

Not here: whether they cover the trade that is loaded (see the staging checks of trade).
"""

from __future__ import annotations

from dagster_project.checks.accounting import Noted, accounting
from dagster_project.checks.declarations import (
    WHY,
    Check,
    Stage,
    between,
    no_rows,
    not_empty,
    not_null,
    one_of,
    unique,
)
from dagster_project.hs import REVISIONS, TAIWAN

# In UNSD's lists of 2024, 4 countries have no ISO 3166 code (Kosovo, Channel Islands, Midway, Wake), and two
# share one. 3 of 5,388 products have no class.
WITHOUT_ISO_LIMIT = 0.05
WITHOUT_BEC_LIMIT = 0.02
_NOTED = {
    # Chapters 01 to 09 hold an eighth of all codes.
    "code_padded": Noted("rows with an HS code that had lost its leading zero", 0.25),
}

WEIGHT_TOLERANCE = 1e-5  # each table sums to 1 within 1e-6, and up to six of them are chained

_WRONG_COUNTRIES = f"""
    select case
            when is_country and is_group then 'a group is no country'
            when country_code = {TAIWAN} then '{TAIWAN} is Taiwan'
            else 'World is no country'
        end as broken_rule, *
    from {{batch}}
    where (is_country and is_group and country_code <> {TAIWAN}) or (is_country and country_code = 0)
        or (country_code = {TAIWAN} and (not is_country or iso3 is distinct from 'TWN'))
"""
_CURRENT = """
    select *, iso3 is null or iso2 is null or not regexp_full_match(iso3, '[A-Z]{{3}}')
        or not regexp_full_match(iso2, '[A-Z]{{2}}') as is_nameless
    from {batch} where is_country and valid_to is null
"""
_WITHOUT_ISO = f"""
    select country_code, name, iso2, iso3 from ({_CURRENT}) where is_nameless
"""
_MANY_WITHOUT_ISO = f"""
    select count(*) filter (is_nameless) as without_code, count(*) as countries,
        format('{{{{:,}}}} of {{{{:,}}}} countries have no ISO 3166 code, such as ', without_code, countries)
            || min(name) filter (is_nameless) || '. Look at the columns of codes in the country lists.' as {WHY}
    from ({_CURRENT}) having without_code > {WITHOUT_ISO_LIMIT} * countries
"""
_SHARED_ISO = f"""
    select iso2, count(*) as n_countries, string_agg(name, ', ' order by country_code) as names
    from ({_CURRENT}) where iso2 is not null group by iso2 having count(distinct iso3) > 1
"""
_WITHOUT_BEC = f"""
    select count(*) filter (bec4 is null) as without_bec4, count(*) filter (bec5 is null) as without_bec5,
        count(*) as products, min(hs6) filter (bec4 is null or bec5 is null) as example,
        greatest(without_bec4, without_bec5) as without_class,
        format('{{{{:,}}}} of {{{{:,}}}} products have no BEC class, such as ', without_class, products)
            || example || '. Is the BEC table of the base revision, and whole?' as {WHY}
    from {{batch}} having without_class > {WITHOUT_BEC_LIMIT} * products
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
            "countries_have_codes",
            "countries",
            "WARN",
            "Every country of today has ISO 3166 codes of its own. One without joins no data that go by these codes.",
            (no_rows(_WITHOUT_ISO), no_rows(_SHARED_ISO, counted_by="n_countries")),
        ),
        Check(
            "few_countries_without_codes",
            "countries",
            "ERROR",
            f"At most {WITHOUT_ISO_LIMIT:.0%} of the countries of today lack an ISO 3166 code.",
            (no_rows(_MANY_WITHOUT_ISO),),
        ),
        Check(
            "few_products_without_class",
            "products",
            "ERROR",
            f"At most {WITHOUT_BEC_LIMIT:.0%} of the products have no class in BEC Rev.4 or Rev.5.",
            (no_rows(_WITHOUT_BEC),),
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
        *accounting("reference", about="reference_rule_counts", by=("source",), noted=_NOTED),
    ),
)
