"""What the brief says, as plain data: one query per part of the page, over an open release.

What belongs here: questions to the marts. Not here: how an answer looks (see `figures` and `page`).
A part whose mart is not in the release is None; the page then says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_project.errors import ReleaseError, SettingError
from dagster_project.places import command
from dagster_project.publish.read import Release

Rows = list[dict[str, Any]]

AUTO = "auto"
# At most so many rows of goods are in a page (about 3 MB). The first importer is always shown whole.
GOODS_BUDGET = 40_000
MAX_IMPORTERS = 12
COMPARED = ("CN", "US", "JP", "DE", "KR")
TOP_INDUSTRIES = 20


@dataclass(frozen=True)
class Selection:
    """What a page covers: importers (the first is shown first), years (the last is shown first)."""

    importers: tuple[Mapping[str, str], ...]
    years: tuple[int, ...]


def rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Rows:
    """The rows of a query, one mapping each."""
    result = connection.execute(query, parameters if isinstance(parameters, Mapping) else list(parameters))
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def select(
    connection: duckdb.DuckDBPyConnection, release: Release, importer: str, years: tuple[int, ...] | None
) -> Selection:
    """Choose importers and years; `auto` is the largest importer of goods in scope, None all years.

    SettingError for an importer that the release does not hold (lists those it does) and for years without rows.
    """
    if "import_vulnerability" not in release.marts:
        raise ReleaseError(
            f"release {release.release_id}",
            found="no mart import_vulnerability",
            expected="a release with trade marts",
            remedy=f"Publish one with {command('run')} or {command('demo')}.",
        )
    held = [row["year"] for row in rows(connection, "select distinct year from marts.import_vulnerability order by 1")]
    missing = sorted(set(years or ()) - set(held))
    if missing or not held:
        raise SettingError(
            f"CHOKEPOINT_BRIEF_YEARS, release {release.release_id}",
            found=f"no rows for {', '.join(map(str, missing)) or 'any year'}",
            expected="years among " + (", ".join(map(str, held)) or "those of a release that holds imports"),
            remedy="Choose among these years, or `all`.",
        )
    chosen = tuple(sorted(years or held))
    known = _importers(connection, release, chosen)
    wanted = known if importer == AUTO else [row for row in known if row["iso3"] == importer]
    if not wanted:
        raise _unknown_importer(connection, release, importer, chosen, known)
    return Selection(_within_budget(wanted[0], known), chosen)


def _is_country(release: Release, mart: str) -> str:
    """SQL: not of the European Union as one economy, which stands beside its members. Releases of before have none."""
    return "economy_kind = 'country'" if "economy_kind" in release.manifest["marts"][mart]["columns"] else "true"


def _importers(connection: duckdb.DuckDBPyConnection, release: Release, years: tuple[int, ...]) -> Rows:
    """Importers with goods in scope in these years, countries first, by value; `n` is their number of rows."""
    return rows(
        connection,
        f"""select importer_iso3 as iso3, any_value(importer_name) as name, count(*) as n
           from marts.import_vulnerability
           where in_scope and importer_iso3 is not null and list_contains(?, year)
           group by importer_iso3
           order by bool_and({_is_country(release, "import_vulnerability")}) desc,
               round(sum(import_value_usd), 2) desc, importer_iso3""",
        [list(years)],
    )


def _unknown_importer(
    connection: duckdb.DuckDBPyConnection, release: Release, importer: str, years: tuple[int, ...], known: Rows
) -> SettingError:
    elsewhere = rows(
        connection,
        "select distinct year from marts.import_vulnerability where importer_iso3 = ? and in_scope order by 1",
        [importer],
    )
    if elsewhere:
        return SettingError(
            f"CHOKEPOINT_BRIEF_YEARS, release {release.release_id}",
            found=f"no rows of importer {importer} in {', '.join(map(str, years))}",
            expected="years among " + ", ".join(str(row["year"]) for row in elsewhere),
            remedy="Choose one of these years, or another importer.",
        )
    return SettingError(
        f"CHOKEPOINT_BRIEF_IMPORTER, release {release.release_id}",
        found=repr(importer),
        expected="auto or one of " + ", ".join(sorted(row["iso3"] for row in known)),
        remedy="Choose one of these ISO 3166-1 alpha-3 codes, for example make brief IMPORTER=DEU.",
    )


def _within_budget(first: Mapping[str, Any], known: Rows) -> tuple[Mapping[str, str], ...]:
    """The first importer, and the largest others as long as there is room for their goods."""
    kept, left = [first], GOODS_BUDGET - first["n"]
    for row in known:
        if row["iso3"] != first["iso3"] and row["n"] <= left and len(kept) < MAX_IMPORTERS:
            kept.append(row)
            left -= row["n"]
    return tuple({"iso3": row["iso3"], "name": row["name"] or row["iso3"]} for row in kept)


def _chosen(selection: Selection) -> list[Any]:
    return [list(selection.years), [importer["iso3"] for importer in selection.importers]]


GOODS_COLUMNS = (
    *("year", "importer", "hs6", "hs2", "value", "suppliers", "hhi", "top", "top_share", "category", "index"),
    *("centrality", "exporter", "exporter_share"),
)


def goods(connection: duckdb.DuckDBPyConnection, selection: Selection) -> dict[str, Any]:
    """Every good in scope of the chosen importers and years: {columns, rows, names}; most vulnerable first.

    Rounded to what a reader can see, to keep the page small.
    """
    query = """
        select v.year, v.importer_iso3, v.hs6, v.hs2, round(v.import_value_usd), v.n_suppliers, round(v.import_hhi, 4),
               v.top_supplier_iso3, round(v.top_supplier_share, 3), v.category, round(v.vulnerability_index, 4),
               round(c.export_centrality, 5), c.top_exporter_iso3, round(c.top_exporter_share, 3)
        from marts.import_vulnerability as v join marts.product_centrality as c using (year, hs6)
        where v.in_scope and list_contains(?, v.year) and list_contains(?, v.importer_iso3)
        order by round(v.vulnerability_index, 12) desc nulls last, v.year, v.importer_code, v.hs6"""
    found = connection.execute(query, _chosen(selection)).fetchall()
    codes = sorted({row[2] for row in found})
    names = "select hs6, any_value(hs6_name) from marts.product_centrality where list_contains(?, hs6) group by hs6"
    return {
        "columns": list(GOODS_COLUMNS),
        "rows": [list(row) for row in found],
        "names": dict(connection.execute(names, [codes]).fetchall()),
    }


def thresholds(connection: duckdb.DuckDBPyConnection, selection: Selection) -> Rows:
    """The two quartile lines of the map, per importer and year: continuous, over values rounded as the marts do."""
    return rows(
        connection,
        """with central as (
               select year, quantile_cont(round(export_centrality, 12), 0.75) as centrality
               from marts.product_centrality where in_scope and export_centrality is not null group by year
           )
           select v.year, v.importer_iso3 as importer, quantile_cont(round(v.import_hhi, 12), 0.75) as hhi,
                  any_value(c.centrality) as centrality
           from marts.import_vulnerability as v left join central as c using (year)
           where v.in_scope and list_contains(?, v.year) and list_contains(?, v.importer_iso3)
           group by all order by all""",
        _chosen(selection),
    )


def summary(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """Goods and value in each category."""
    if "vulnerability_summary" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, category, n_goods, goods_share,
                  import_value_usd as value, value_share
           from marts.vulnerability_summary
           where list_contains(?, year) and list_contains(?, importer_iso3) order by year, importer_code, category""",
        _chosen(selection),
    )


def industries(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """The most exposed industries of each importer and year."""
    if "industry_vulnerability" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, rank, hs2, hs2_name as name, n_goods, import_value_usd as value,
                  round(vulnerability, 5) as vulnerability, round(vulnerability_mean, 4) as mean, n_category1
           from marts.industry_vulnerability
           where rank <= ? and list_contains(?, year) and list_contains(?, importer_iso3)
           order by year, importer_code, rank, hs2""",
        [TOP_INDUSTRIES, *_chosen(selection)],
    )


def exporters(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """Who leads in goods of high centrality, by year."""
    if "exporter_position" not in release.marts:
        return None
    return rows(
        connection,
        f"""select year, exporter_iso3 as exporter, exporter_name as name, n_goods, n_top3,
                  round(top3_share, 4) as top3_share,
                  n_high_centrality, n_high_centrality_rank1 as first, n_high_centrality_top3 as top3,
                  round(high_centrality_top3_share, 4) as high_top3_share
           from marts.exporter_position
           where n_high_centrality_top3 > 0 and list_contains(?, year)
               and {_is_country(release, "exporter_position")}
           qualify row_number() over (partition by year
               order by n_high_centrality_rank1 desc, n_high_centrality_top3 desc, exporter_code) <= 15
           order by year, first desc, top3 desc, exporter_code""",
        [list(selection.years)],
    )


def politics(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """How far each importer's suppliers stand from it, and what that adds to its risk."""
    if "political_exposure" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, share_close as close, share_middle as middle,
                  share_distant as distant, share_unscored as unscored, risk_econ as econ, risk_distance as plain,
                  risk_distance_own as own, pol_ratio as ratio, pol_ratio_own as ratio_own
           from marts.political_exposure
           where list_contains(?, year) and list_contains(?, importer_iso3) order by year, importer_code""",
        _chosen(selection),
    )


def exclusions(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, Rows] | None:
    """Exclusion shares by list, and by list and industry (the industries with the most requests)."""
    if not {"exclusion_rates", "exclusion_rates_by_industry"} <= set(release.marts):
        return None
    return {
        "lists": rows(
            connection,
            """select list_id, requests, granted, denied, pending, approval_share,
                      approval_share_without_top_requester as without_top, top_requester, additional_duty as duty
               from marts.exclusion_rates order by list_id""",
        ),
        "industries": rows(
            connection,
            """select list_id, hs2, hs2_name as name, requests, granted, denied, approval_share
               from marts.exclusion_rates_by_industry
               where approval_share is not null and hs2 in (
                   select hs2 from marts.exclusion_rates_by_industry
                   group by hs2 order by sum(requests) desc, hs2 limit ?)
               order by hs2, list_id""",
            [TOP_INDUSTRIES],
        ),
    }


def patents(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, Any] | None:
    """Core shares by field, pooled over closed citation windows (over all years where none is), and by year."""
    if not {"patent_core_share", "patent_country_summary"} <= set(release.marts):
        return None
    fields = rows(
        connection,
        """with compared as (
               select * from marts.patent_core_share where list_contains(?, country_iso2)
               qualify window_complete or not bool_or(window_complete) over ()
           )
           select country_iso2 as country, any_value(country_name) as name, field_id, any_value(field_name) as field,
                  any_value(sector_name) as sector, sum(applications) as applications,
                  sum(core_applications) as core, sum(core_applications) / nullif(sum(applications), 0) as share,
                  min(filing_year) as first_year, max(filing_year) as last_year
           from compared group by country_iso2, field_id order by field_id, country_iso2""",
        [list(COMPARED)],
    )
    trend = rows(
        connection,
        """select filing_year as year, country_iso2 as country, any_value(country_name) as name,
                  sum(applications) as applications, sum(core_applications) as core, any_value(core_share) as share,
                  bool_and(window_complete) as complete
           from marts.patent_country_summary where list_contains(?, country_iso2)
           group by filing_year, country_iso2 order by country_iso2, filing_year""",
        [list(COMPARED)],
    )
    # In a year with very few filings the share is 0 or 1 by chance: such years are left out of the trend.
    busy = max((row["applications"] for row in trend), default=0) / 20
    return {"fields": fields, "trend": [row for row in trend if row["applications"] >= min(busy, 10)]}


def benchmarks(connection: duckdb.DuckDBPyConnection, release: Release) -> Rows | None:
    """The published figures beside ours."""
    if "published_benchmarks" not in release.marts:
        return None
    columns = release.manifest["marts"]["published_benchmarks"]["columns"]
    order = "place" if "place" in columns else "benchmark_id"
    return rows(connection, f"select * from marts.published_benchmarks order by {order}")
