"""A small picture for each mart, which answers the mart's question in the UI at a glance.

What belongs here: one aggregated query and the form of the plot per mart. Not here: the brief's figures, which a reader
works with. A mart that is not in `PICTURES` has none. Rendered by vl-convert: no browser, no network.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb

LATEST = "year = (select max(year) from {mart})"
COMPARED = "country_iso2 in ('CN', 'US', 'JP', 'DE', 'KR')"


@dataclass(frozen=True)
class Picture:
    """What is drawn: `title` says it in words; `query` gives columns label, value and, for lines, year."""

    title: str
    query: str
    form: str = "bars"
    percent: bool = False


def _top(label: str, where: str, value: str, order: str = "value desc, label") -> str:
    return f"select {label} as label, {value} as value from {{mart}} where {where} group by 1 order by {order} limit 10"


PICTURES = {
    "trade_flows": Picture(
        "Largest exporters by value, latest year, USD", _top("exporter_code::varchar", LATEST, "sum(value_usd)")
    ),
    "bilateral_totals": Picture(
        "Largest flows of goods in scope, latest year, USD",
        _top("exporter_iso3 || ' to ' || importer_iso3", LATEST, "sum(in_scope_value_usd)"),
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
        "Importers with the most goods of category 1, latest year",
        _top("coalesce(importer_name, importer_code::varchar)", f"category = 1 and {LATEST}", "count(*)"),
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
    "exclusion_determinants": Picture(
        "Granted of decided requests, by China's share in US imports of the good",
        """select least(floor(china_import_share * 4) / 4, 0.75) * 100 || ' % and more' as label,
                  sum(granted) / nullif(sum(granted + denied), 0) as value
           from {mart} where china_import_share is not null group by label order by label""",
        percent=True,
    ),
    "exclusions_in_force": Picture(
        "Excluded ten-digit lines, by list", _top("'List ' || list_id", "true", "count(distinct hts10)", "label")
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
    "published_benchmarks": Picture("Verdicts on published figures", _top("verdict", "true", "count(*)")),
}


def picture(
    connection: duckdb.DuckDBPyConnection, mart: str, relation: str, question: str
) -> dg.MarkdownMetadataValue | None:
    """The mart's question and the plot that answers it, as Markdown with the PNG inside; None where there is none."""
    chosen = PICTURES.get(mart)
    if chosen is None:
        return None
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
    # SI prefixes suit counts and money; of a share or an index they would make "500m".
    plain = max(row["value"] for row in rows) < 10
    axis = {"format": ".0%" if chosen.percent else "~g" if plain else "~s"}
    value = {"field": "value", "type": "quantitative", "title": None, "axis": axis}
    label = {"field": "label", "type": "nominal", "title": None}
    forms: dict[str, dict[str, Any]] = {
        "bars": {
            "mark": {"type": "bar", "color": "#3a7ca5"},
            "encoding": {"x": value, "y": {**label, "sort": None, "axis": {"labelLimit": 220}}},
            "height": {"step": 18},
        },
        "lines": {
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": {"field": "year", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}},
                "y": value,
                "color": label,
            },
            "height": 180,
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
