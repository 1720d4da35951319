"""Checks of the reference marts: do the dimensions of countries and goods hold what the lists and seeds say?

Not here: the landed lists (see `checks`), and whether the countries that trade have a region (see trade's marts).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, not_empty
from dagster_project.checks.recomputed import equals, is_in_scope
from dagster_project.hs import TAIWAN

GROUPS = ("eu", "g7", "g20", "asean", "oecd")


def _date(membership: str, column: str) -> str:
    return f"""(
        select {column} from country_memberships as m where m.membership = '{membership}' and m.iso3 = c.iso3
    )"""


# Country by country and date by date; the model turns the memberships into columns in one step.
_DATES = ", ".join(
    f"{_date(group, column)} as {group}_{ending}"
    for group in GROUPS
    for column, ending in (("valid_from", "since"), ("valid_to", "until"))
)
_COUNTRIES = f"""
    select c.country_code, c.iso3, c.iso2, c.name, r.region, r.sub_region, r.trade_region, {_DATES},
        exists (
            from country_memberships as m where m.membership = 'eu' and m.iso3 = c.iso3 and m.valid_to is null
        ) as is_eu27
    from stg_countries as c left join country_regions as r using (country_code)
"""

# The sections by their first chapters, in order; chapters 98 and 99 are in none. The mart must be of one scope.
_PRODUCTS = f"""
    with scope as (select max(product_scope) as product_scope from products)
    select p.*, left(hs6, 4) as hs4, hs2_name, s.hs_section, s.hs_section_name,
        case
            when {is_in_scope("'bec4_intermediate'")} then 'intermediate'
            when bec4 in ('41', '521') then 'capital'
            when bec4 in ('112', '122', '522', '61', '62', '63') then 'consumption' else 'other'
        end as bec4_end_use,
        scope.product_scope, {is_in_scope("scope.product_scope")} as in_scope
    from stg_products as p cross join scope left join hs2_chapters using (hs2)
        left join hs_sections as s on s.first_hs2 = (
            select max(first_hs2) from hs_sections where first_hs2 <= p.hs2 and p.hs2 < '98'
        )
"""

REFERENCE_MARTS = Stage(
    name="marts of reference",
    keys={"countries": ("country_code", "name"), "products": ("hs6", "hs6_name")},
    checks=(
        Check(
            "recomputed_from_lists",
            "countries",
            "ERROR",
            f"Every country of the lists is there, {TAIWAN} (Taiwan) among them, with its region and its memberships.",
            (
                not_empty(),
                equals(
                    _COUNTRIES,
                    "country_code",
                    others=(
                        *("iso3", "iso2", "name", "region", "sub_region", "trade_region", "is_eu27"),
                        *(f"{group}_{ending}" for group in GROUPS for ending in ("since", "until")),
                    ),
                ),
            ),
        ),
        Check(
            "recomputed_from_lists",
            "products",
            "ERROR",
            "Every good of the base revision is there, with its chapter, section, end use and scope.",
            (
                not_empty(),
                equals(
                    _PRODUCTS,
                    "hs6",
                    others=(
                        *("hs6_name", "hs4", "hs2", "hs2_name", "hs_section", "hs_section_name", "bec4"),
                        *("bec4_end_use", "bec5", "in_scope", "product_scope", "hs_revision"),
                    ),
                ),
            ),
        ),
    ),
)
