"""Reference tables of the patents dataset: WIPO's IPC-technology concordance, NCSES's and OECD's totals by economy.

Not here: patent-level tables (see `patentsview`, `bigquery`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.archive.store import Entry
from dagster_project.datasets.patents.files import OECD_KIND
from dagster_project.datasets.patents.load import PatentLoad
from dagster_project.landing.delimited import Dialect
from dagster_project.landing.tables import RuleCounts
from dagster_project.sql import literal

PCT_FAMILY = "Patent Cooperation Treaty applications"  # as NCSES calls it

# NCSES's names of single economies. Everything else in its table is a region, an office or the world.
ECONOMIES = {
    "Albania": "AL", "Algeria": "DZ", "Argentina": "AR", "Armenia": "AM", "Aruba": "AW", "Australia": "AU",
    "Austria": "AT", "Azerbaijan": "AZ", "Bahrain": "BH", "Bangladesh": "BD", "Belarus": "BY", "Belgium": "BE",
    "Belize": "BZ", "Bolivia": "BO", "Bosnia and Herzegovina": "BA", "Botswana": "BW", "Brazil": "BR", "Brunei": "BN",
    "Bulgaria": "BG", "Burundi": "BI", "Canada": "CA", "Chile": "CL", "China": "CN", "Colombia": "CO",
    "Costa Rica": "CR", "Croatia": "HR", "Cuba": "CU", "Cyprus": "CY", "Czechia": "CZ", "Denmark": "DK",
    "Dominican Republic": "DO", "Ecuador": "EC", "Egypt": "EG", "El Salvador": "SV", "Estonia": "EE", "Finland": "FI",
    "France": "FR", "Georgia": "GE", "Germany": "DE", "Ghana": "GH", "Greece": "GR", "Guatemala": "GT",
    "Honduras": "HN", "Hong Kong": "HK", "Hungary": "HU", "Iceland": "IS", "India": "IN", "Indonesia": "ID",
    "Iran": "IR", "Iraq": "IQ", "Ireland": "IE", "Israel": "IL", "Italy": "IT", "Japan": "JP", "Jordan": "JO",
    "Kazakhstan": "KZ", "Kenya": "KE", "Kyrgyzstan": "KG", "Latvia": "LV", "Lebanon": "LB", "Libya": "LY",
    "Lithuania": "LT", "Luxembourg": "LU", "Macedonia": "MK", "Madagascar": "MG", "Malaysia": "MY", "Malta": "MT",
    "Mexico": "MX", "Moldova": "MD", "Monaco": "MC", "Mongolia": "MN", "Montenegro": "ME", "Morocco": "MA",
    "Namibia": "NA", "Netherlands": "NL", "New Zealand": "NZ", "Nicaragua": "NI", "Nigeria": "NG", "North Korea": "KP",
    "Norway": "NO", "Oman": "OM", "Pakistan": "PK", "Panama": "PA", "Paraguay": "PY", "Peru": "PE",
    "Philippines": "PH", "Poland": "PL", "Portugal": "PT", "Puerto Rico": "PR", "Qatar": "QA", "Romania": "RO",
    "Russia": "RU", "San Marino": "SM", "Saudi Arabia": "SA", "Serbia": "RS", "Seychelles": "SC", "Singapore": "SG",
    "Slovakia": "SK", "Slovenia": "SI", "South Africa": "ZA", "South Korea": "KR", "Spain": "ES", "Sri Lanka": "LK",
    "Sudan": "SD", "Sweden": "SE", "Switzerland": "CH", "Syria": "SY", "Taiwan": "TW", "Thailand": "TH",
    "Trinidad and Tobago": "TT", "Tunisia": "TN", "Turkey": "TR", "Turkmenistan": "TM", "Ukraine": "UA",
    "United Arab Emirates": "AE", "United Kingdom": "GB", "United States": "US", "Uruguay": "UY", "Uzbekistan": "UZ",
    "Venezuela": "VE", "Vietnam": "VN", "Yugoslavia": "YU", "Zambia": "ZM", "Zimbabwe": "ZW",
}  # fmt: skip


def read_concordance(load: PatentLoad, entry: Entry | None) -> None:
    """Table concordance: pattern (SQL LIKE), field_id, field_name, sector_name; empty when there is no such file."""
    if entry is None:
        load.connection.execute(
            "create or replace temp table concordance (pattern varchar, field_id varchar, field_name varchar, "
            "sector_name varchar)"
        )
        return
    query = """
        select upper({ipc_code}) as pattern, cast(try_cast({field_number} as integer) as varchar) as field_id,
            {field_en} as field_name, {sector_en} as sector_name
        from {table} as received
    """
    malformed = load.table(
        "concordance_rows", entry, ("field_number", "ipc_code", "field_en"), query, dialect=Dialect()
    )
    load.connection.execute("""
        create or replace temp table concordance as
        select pattern, field_id, min(field_name) as field_name, min(sector_name) as sector_name
        from concordance_rows
        where coalesce(pattern, '') <> '' and cast(field_id as integer) between 1 and 35 group by all
    """)
    load.quarantine(
        entry,
        "select 'unreadable_field' as reason, pattern as detail, cast(null as bigint) as source_row, "
        "cast(to_json(c) as varchar) as raw from concordance_rows as c "
        "where not coalesce(pattern <> '' and cast(field_id as integer) between 1 and 35, false)",
    )
    rows, landed = load.one("select count(*) from concordance_rows"), load.one("select count(*) from concordance")
    unreadable = load.one(
        "select count(*) from concordance_rows "
        "where not coalesce(pattern <> '' and cast(field_id as integer) between 1 and 35, false)"
    )
    load.account(
        f"{entry.source}/ipc_technology_concordance",
        RuleCounts(
            rows + malformed,
            landed,
            {"duplicate_row": rows - unreadable - landed},
            {"unreadable_field": unreadable, "malformed_row": malformed},
        ),
    )


def read_totals(load: PatentLoad, entries: Sequence[Entry]) -> None:
    """Table reference_totals: published counts by family, field, economy and year (columns: `landing.TABLES`).

    `country_iso2` (NCSES) names a single economy, `country_iso3` (OECD) an economy or an area; of NCSES's aggregates
    (the world, regions, offices), which must not be added to economies, both are null.
    """
    load.connection.execute("""
        create or replace temp table reference_totals (
            family varchar, field varchar, economy varchar, country_iso2 varchar, country_iso3 varchar, year integer,
            value double, source varchar
        )
    """)
    for entry in entries:
        if entry.parameters["kind"] == OECD_KIND:
            malformed = load.table("total_rows", entry, OECD_COLUMNS, _OECD_ROWS, dialect=Dialect(labelled=True))
        else:
            malformed = load.table("total_rows", entry, NCSES_COLUMNS, _ncses_rows(), dialect=Dialect())
        _land_totals(load, entry, malformed)


NCSES_COLUMNS = ("family", "field", "economy", "year", "value")
OECD_COLUMNS = (
    "patent_authorities", "measure", "date_type", "agent_role", "ref_area", "partner_area",
    "cooperation_type", "wipo", "oecd_technology_patent", "time_period", "obs_value",
)  # fmt: skip
_REASON = """
    case when year_number is null then 'bad_year' when amount is null or amount < 0 then 'bad_value'
        when coalesce(economy_name, '') = '' then 'missing_economy' end as reason
"""


def _ncses_rows() -> str:
    names = ", ".join(f"({literal(name)}, {literal(iso2)})" for name, iso2 in ECONOMIES.items())
    return f"""
        select source_row, family_text as family, field_text as field, economy_name as economy, e.iso2,
            cast(null as varchar) as iso3, year_number as year, amount as value, false as other_series, {_REASON},
            case when reason is not null then line end as raw
        from (
            select row_number() over () as source_row, {{family}} as family_text, {{field}} as field_text,
                trim(regexp_replace({{economy}}, '<[^>]*>.*$', '')) as economy_name,
                try_cast({{year}} as integer) as year_number, try_cast({{value}} as double) as amount,
                cast(to_json(received) as varchar) as line
            from {{table}} as received
        ) as t left join (values {names}) as e(name, iso2) on e.name = t.economy_name
    """


# PCT applications by application year and applicant; `_T` and `_Z` both say that a dimension is not split.
_WHOLE = "in ('_T', '_Z')"
_OECD_ROWS = f"""
        select source_row, {literal(PCT_FAMILY)} as family,
            case when field_code {_WHOLE} then 'ALL' else coalesce(field_name, field_code) end as field,
            economy_name as economy, cast(null as varchar) as iso2, area_code as iso3, year_number as year,
            amount as value, not coalesce(wanted, false) as other_series, {_REASON},
            case when reason is not null then line end as raw
        from (
            select row_number() over () as source_row, coalesce({{wipo}}, '_Z') as field_code,
                {{wipo label}} as field_name, coalesce({{ref_area label}}, {{ref_area}}) as economy_name,
                {{ref_area}} as area_code,
                try_cast({{time_period}} as integer) as year_number, try_cast({{obs_value}} as double) as amount,
                {{patent_authorities}} = '9P50_1' and {{measure}} = 'AP' and {{date_type}} = 'APPLICATION'
                    and {{agent_role}} = 'APPLICANT' and coalesce({{partner_area}}, '_Z') {_WHOLE}
                    and coalesce({{cooperation_type}}, '_Z') {_WHOLE}
                    and coalesce({{oecd_technology_patent}}, '_Z') {_WHOLE} as wanted,
                cast(to_json(received) as varchar) as line
            from {{table}} as received
        )
    """


def _land_totals(load: PatentLoad, entry: Entry, malformed: int) -> None:
    usable = "reason is null and not other_series"
    load.quarantine(
        entry,
        "select reason, economy as detail, source_row, raw from total_rows "
        "where reason is not null and not other_series",
    )
    load.connection.execute(f"""
        insert into reference_totals
        select family, field, economy, iso2, iso3, year, value, {literal(entry.source)}
        from total_rows where {usable}
        qualify row_number() over (partition by family, field, economy, year order by source_row) = 1
    """)
    quarantined = load.pairs("select reason, count(*) from total_rows where not other_series group by reason")
    rows, other = (load.one(f"select count(*) from total_rows where {which}") for which in ("true", "other_series"))
    landed = load.one(f"select count(distinct (family, field, economy, year)) from total_rows where {usable}")
    load.account(
        f"{entry.source}/totals",
        RuleCounts(
            rows + malformed,
            landed,
            {"duplicate_row": rows - other - sum(quarantined.values()) - landed, "other_series": other},
            {**quarantined, **({"malformed_row": malformed} if malformed else {})},
        ),
    )
