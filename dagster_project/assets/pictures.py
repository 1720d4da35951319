"""A small picture for each mart, which answers the mart's question in the UI at a glance.

What belongs here: one aggregated query and the form of the plot per mart. Not here: the brief's figures, which a reader
works with. Rendered by vl-convert: no browser, no network.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb

LATEST = "year = (select max(year) from {mart})"
COLOUR = "#3a7ca5"
COMPARED = "country_iso2 in ('CN', 'US', 'JP', 'DE', 'KR')"


@dataclass(frozen=True)
class Picture:
    """What is drawn: `title` says it in words; `query` gives columns label and value.

    `form` is bars, stacked (with a column series), lines (with year) or intervals (with low and high).
    """

    title: str
    query: str
    form: str = "bars"
    percent: bool = False


def _top(label: str, where: str, value: str, order: str = "value desc, label") -> str:
    return f"select {label} as label, {value} as value from {{mart}} where {where} group by 1 order by {order} limit 10"


PICTURES = {
    "trade_flows": Picture(
        "Largest exporters, latest year, billion USD",
        f"""select coalesce(name, code::varchar) as label, value from (
                select exporter_code as code, sum(value_usd) / 1e9 as value from {{mart}} where {LATEST}
                group by all order by value desc, code limit 10)
            left join staging.stg_countries on country_code = code order by value desc, code""",
    ),
    "bilateral_totals": Picture(
        "Largest flows of goods in scope, latest year, billion USD",
        _top("exporter_iso3 || ' to ' || importer_iso3", LATEST, "sum(in_scope_value_usd) / 1e9"),
    ),
    "product_centrality": Picture(
        "Goods in scope with the highest export centrality, latest year",
        _top("hs6 || ' ' || coalesce(hs6_name, '')", f"in_scope and {LATEST}", "max(export_centrality)"),
    ),
    "exporter_position": Picture(
        "High-centrality goods in which an exporter is first, latest year",
        _top("coalesce(exporter_name, exporter_code::varchar)", LATEST, "sum(n_high_centrality_rank1)"),
    ),
    "import_vulnerability": Picture(
        "Goods that are category 1 for the most importers, and who most often sells most, latest year",
        f"""select v.hs6 || ' ' || coalesce(any_value(hs6_name), '') || ' (' || coalesce(mode(top_supplier_iso3), '?')
                || ')' as label, count(*) as value
            from {{mart}} as v left join staging.stg_products as p on p.hs6 = v.hs6
            where category = 1 and {LATEST} group by v.hs6 order by value desc, label limit 10""",
    ),
    "vulnerability_summary": Picture(
        "Goods by category, all importers, latest year",
        _top("'category ' || category", LATEST, "sum(n_goods)", "label"),
    ),
    "industry_vulnerability": Picture(
        "Industries that are most often an importer's most exposed one, latest year",
        _top("hs2 || ' ' || coalesce(hs2_name, '')", f"rank = 1 and {LATEST}", "count(*)"),
    ),
    "exclusion_rates": Picture(
        "Granted of decided requests, by list",
        _top("'List ' || list_id", "true", "max(approval_share)", "label"),
        percent=True,
    ),
    "exclusion_rates_by_industry": Picture(
        "Industries with the most requests: granted of decided ones",
        """select label, value from (
               select hs2 || ' ' || coalesce(any_value(hs2_name), '') as label, sum(requests) as n,
                      sum(granted) / nullif(sum(granted + denied), 0) as value
               from {mart} group by hs2 order by n desc, label limit 10) order by value desc nulls last, label""",
        percent=True,
    ),
    "exclusion_rates_by_end_use": Picture(
        "Granted of decided requests, by list and end use",
        """select 'List ' || list_id || ', ' || replace(end_use, '_', ' ') as label, approval_share as value
           from {mart} order by list_id, value desc nulls last, label""",
        percent=True,
    ),
    "exclusion_rates_by_month": Picture(
        "Granted of decided requests, by month of posting and list (months with 10 or more decided)",
        """select strftime(month_posted, '%Y-%m') as year, 'List ' || list_id as label, approval_share as value
           from {mart} where granted + denied >= 10 order by 1, 2""",
        form="lines",
        percent=True,
    ),
    "exclusion_requesters": Picture(
        "The organisations with the most requests, all lists: decided requests by outcome",
        """with most as (
               select requester, sum(requests) as n, sum(granted) as granted, sum(denied) as denied
               from {mart} group by requester order by n desc, requester limit 10)
           select requester as label, outcome as series, decided as value
           from (from most unpivot (decided for outcome in (granted, denied))) order by n desc, label, series desc""",
        form="stacked",
    ),
    "exclusion_regression": Picture(
        "Odds of a grant, as factors with 95 % intervals, largest specification that could be estimated",
        """with fullest as (
               select specification from {mart} where specification not like '%without_largest_filer'
               group by 1 having count(estimate) > 0 order by count(estimate) desc, 1 limit 1)
           select replace(term, '_', ' ') as label, odds_ratio as value, exp(estimate - 1.96 * std_error) as low,
                  exp(estimate + 1.96 * std_error) as high
           from {mart} join fullest using (specification)
           where term <> 'intercept' and term not like 'list_%' order by value desc, label""",
        form="intervals",
    ),
    "exclusion_determinants": Picture(
        "Granted of decided requests, by China's share in US imports of the good",
        """select quarter * 25 || ' to ' || (quarter + 1) * 25 || ' %' as label,
                  sum(granted) / nullif(sum(granted + denied), 0) as value
           from (select *, least(floor(china_import_share * 4), 3)::integer as quarter from {mart})
           where quarter is not null group by quarter order by quarter""",
        percent=True,
    ),
    "exclusions_in_force": Picture(
        "Excluded ten-digit lines on the first of January and of July, by list",
        """select strftime(day, '%Y-%m') as year, 'List ' || list_id as label,
                  count(distinct hts10) filter (day between valid_from and coalesce(valid_to, day)) as value
           from {mart}, (select unnest(generate_series(date '2018-07-01', until, interval 6 month)) as day
                         from (select greatest(max(valid_to), max(valid_from)) as until from {mart}))
           group by all order by 1, 2""",
        form="lines",
    ),
    "patent_core_share": Picture(
        "Fields in which China's core share is highest (closed citation windows)",
        """select field_name as label, sum(core_applications) / nullif(sum(applications), 0) as value
           from {mart} where country_iso2 = 'CN' and window_complete
           group by 1 order by value desc nulls last, label limit 10""",
        percent=True,
    ),
    "patent_country_summary": Picture(
        "Core patents among a country's own applications, by filing year (closed citation windows)",
        f"""select filing_year as year, country_iso2 as label, max(core_share) as value
            from {{mart}} where {COMPARED} and window_complete and applications >= 5 group by 1, 2 order by 1, 2""",
        form="lines",
        percent=True,
    ),
    "patent_collaboration": Picture(
        "Joint applications with Germany, Britain, France and Japan among all joint ones",
        """select filing_year as year, country_iso2 as label, sum(share_of_joint) as value
           from {mart} where country_iso2 in ('CN', 'US') and partner_iso2 in ('DE', 'GB', 'FR', 'JP')
           group by 1, 2 order by 1, 2""",
        form="lines",
        percent=True,
    ),
    "patent_reconciliation": Picture(
        "Our applications as a share of the published totals, by filing year",
        f"""select filing_year as year, country_iso2 as label, coverage as value
            from {{mart}} where {COMPARED} and technology = 'ALL'
            union all select distinct filing_year, 'all', world_coverage from {{mart}} where technology = 'ALL'
            order by 1, 2""",
        form="lines",
        percent=True,
    ),
    "published_benchmarks": Picture("Verdicts on published figures", _top("verdict", "true", "count(*)")),
}


def picture(connection: duckdb.DuckDBPyConnection, mart: str, relation: str, question: str) -> dg.MarkdownMetadataValue:
    """The mart's question and the plot that answers it, as Markdown with the PNG inside; a word where it is empty.

    `relation` is the mart's name in the warehouse of the connection; names of goods and countries come from staging.
    """
    chosen = PICTURES[mart]
    result = connection.execute(chosen.query.format(mart=relation))
    names = [column[0] for column in result.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    # DuckDB's sum of BIGINT is wider than JSON's numbers.
    rows = [{**row, "value": float(row["value"])} for row in rows if row["value"] is not None]
    if not rows:
        return dg.MetadataValue.md(f"{question}\n\n(no rows to draw)")
    import vl_convert

    image = base64.b64encode(vl_convert.vegalite_to_png(_spec(chosen, rows))).decode()
    return dg.MetadataValue.md(f"**{question}**\n\n![{chosen.title}](data:image/png;base64,{image})")


def _spec(chosen: Picture, rows: list[dict[str, Any]]) -> dict[str, Any]:
    # SI prefixes suit millions; of a share or an index they would make "500m".
    plain = max(row["value"] for row in rows) < 1e6
    axis = {"format": ".0%" if chosen.percent else ",~r" if plain else "~s", "tickCount": 5}
    value = {"field": "value", "type": "quantitative", "title": None, "axis": axis}
    label = {"field": "label", "type": "nominal", "title": None}
    places = {**label, "sort": None, "axis": {"labelLimit": 220}}
    forms: dict[str, dict[str, Any]] = {
        "bars": {
            "mark": {"type": "bar", "color": COLOUR},
            "encoding": {"x": value, "y": places},
            "height": {"step": 18},
        },
        "stacked": {
            "mark": "bar",
            "encoding": {"x": value, "y": places, "color": {"field": "series", "type": "nominal", "title": None}},
            "height": {"step": 18},
        },
        "lines": {
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": {
                    "field": "year",
                    "type": "ordinal",
                    "title": None,
                    "axis": {"labelAngle": 0, "labelOverlap": True},
                },
                "y": value,
                "color": label,
            },
            "height": 180,
        },
        # Factors: a logarithmic axis on which 1, no difference, is marked.
        "intervals": {
            "encoding": {"y": places},
            "layer": [
                {"mark": {"type": "rule", "strokeDash": [4, 4]}, "encoding": {"x": {"datum": 1}, "y": None}},
                {
                    "mark": {"type": "rule", "color": COLOUR},
                    "encoding": {"x": {**value, "field": "low", "scale": {"type": "log"}}, "x2": {"field": "high"}},
                },
                {"mark": {"type": "point", "filled": True, "size": 60, "color": COLOUR}, "encoding": {"x": value}},
            ],
            "height": {"step": 22},
        },
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": rows},
        "title": {"text": chosen.title, "anchor": "start", "fontSize": 12},
        "width": 380,
        "background": "white",
        **forms[chosen.form],
    }
