"""Checks of the reference marts: does the dimension of countries hold what the lists and seeds say?

Not here: the landed lists (see `checks`), and whether the countries that trade have a region (see trade's marts).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, not_empty
from dagster_project.checks.recomputed import equals
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

REFERENCE_MARTS = Stage(
    name="marts of reference",
    keys={"countries": ("country_code", "name")},
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
    ),
)
