"""The brief of one good as one HTML page that opens from disk: who sells it, who depends on it, what its price does.

What belongs here: the order of the page, its questions about one good, and what a wrong code is answered with. Not
here: what it shares with the page of an importer (see `sections`, `shell`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.brief import data, shell
from dagster_project.brief.data import Rows, rows
from dagster_project.brief.markup import money, paragraph, section, share, table
from dagster_project.brief.sections import countries, exclusions, prices, suppliers, vintage, words
from dagster_project.errors import SettingError
from dagster_project.publish.read import Release

NEAR = 6
SHOWN = 9  # exporters and importers that the picture names
NAV = {
    "exporters": "Exporters",
    "importers": "Importers",
    "network": "Who supplies whom",
    "prices": "Price and learning",
    "relocated": "Relocation",
    "stops": "If a supplier stops",
    "tariffs": "Exclusions",
    "core": "Core patents",
    "method": "Method",
    "vintage": "Data",
}


def write_good(
    release: Release, target: Path, good: str, years: tuple[int, ...] | None = None, importer: str = data.AUTO
) -> Path:
    """Write the page of a good to `target`; raises as `render_good` does."""
    target.write_text(render_good(release, good, years, importer), encoding="utf-8")
    return target


def render_good(release: Release, good: str, years: tuple[int, ...] | None = None, importer: str = data.AUTO) -> str:
    """The page of a good as HTML text; `importer` is pointed out at first (`auto`: none).

    SettingError for a good that the release does not hold: it names near ones.
    """
    with release.connect() as connection:
        chosen = data.held_years(connection, release, years)
        name = _name(connection, release, good, chosen)
        answers = _answers(connection, release, good, chosen)
        of_good = exclusions.of_good(connection, release, good)
        moved = _relocation(connection, release)
        removed = _removal(connection, release, good)
    from dagster_project.brief.figures import GOOD_FIGURES, specifications

    manifest = release.manifest
    content = {
        **answers,
        "good": {"hs6": good, "name": name},
        "years": chosen,
        "importer": "" if importer == data.AUTO else importer,
        "specs": specifications(GOOD_FIGURES),
    }
    importers = sorted({(row["importer"], answers["countries"].get(row["importer"])) for row in answers["importers"]})
    return shell.page(
        release,
        "good",
        f"{name or 'A good without a name'} (HS {good})",
        content,
        NAV,
        years=shell.choices((year, year) for year in reversed(chosen)),
        importers=shell.choices([("", "all"), *((iso3, label or iso3) for iso3, label in importers if iso3)]),
        no_flows=section(answers["flows"], manifest, "trade_flows", lambda _: ""),
        no_prices=section(answers["prices"], manifest, "export_price_index", lambda _: ""),
        relocation=section(moved, manifest, "relocation_growth", _moved),
        removal=section(removed, manifest, "supplier_removal", _removed),
        exclusions=section(of_good, manifest, "exclusion_determinants", exclusions.good_shown),
        patents=paragraph(
            "No table that leads from goods to fields of technology is loaded, so that this page cannot say which core "
            "patents stand behind the good. The page of an importer shows all fields.",
            "absent",
        ),
        method=words.shown(manifest),
        vintage=vintage.shown(manifest),
    )


def _name(connection: duckdb.DuckDBPyConnection, release: Release, good: str, years: tuple[int, ...]) -> str | None:
    """The good's name; SettingError with near goods where the release does not hold it in these years."""
    held = connection.execute(
        """select hs6, any_value(hs6_name) from marts.product_centrality where list_contains(?, year)
           group by hs6 order by hs6""",
        [list(years)],
    ).fetchall()
    names: dict[str, str | None] = dict(held)
    if good in names:
        return names[good]
    near = "; ".join(f"{code} ({names[code] or 'no name'})" for code in near_goods(good, names))
    raise SettingError(
        f"--good, release {release.release_id}",
        found=repr(good),
        expected=f"an HS code of six digits that the release holds in {', '.join(map(str, years))}, such as {near}",
        remedy="Name one of these, or publish a release with the good.",
    )


def near_goods(asked: str, names: Mapping[str, str | None]) -> list[str]:
    """Goods whose name has the words asked for, or else whose code begins alike, or is spelt alike."""
    text = asked.strip().lower()
    named = [code for code, name in names.items() if name and not text.isdigit() and text and text in name.lower()]
    if named:
        return named[:NEAR]
    alike = next(
        (found for n in (5, 4, 3, 2) if (found := [c for c in names if len(text) >= n and c[:n] == text[:n]])), []
    )
    spelt = difflib.get_close_matches(text, list(names), NEAR, 0)
    return list(dict.fromkeys([*alike, *spelt]))[:NEAR]


def _answers(
    connection: duckdb.DuckDBPyConnection, release: Release, good: str, years: tuple[int, ...]
) -> dict[str, Any]:
    return {
        "countries": countries.ask(connection, release),
        "trend": _trend(connection, release, good, years),
        "exporters": _exporters(connection, release, good, years),
        "importers": _importers(connection, release, good, years),
        "flows": suppliers.flows(connection, release, years, [good], SHOWN),
        "prices": prices.ask(connection, release, years, [good], 6),
        "learning": prices.learning(connection, release, good),
        "involution": prices.involution(connection, release, good),
    }


def _trend(connection: duckdb.DuckDBPyConnection, release: Release, good: str, years: tuple[int, ...]) -> Rows:
    """Centrality and concentration by year, with the network's measures and complexity where they are published."""
    columns, joins = "", ""
    if "product_network" in release.marts:
        columns += """, n.n_links, round(n.density, 4) as density, round(n.reciprocity, 4) as reciprocity,
            round(n.clustering, 4) as clustering, n.top_pagerank_iso3 as power, n.top_buyer_pagerank_iso3 as buyer"""
        joins += " left join marts.product_network as n using (year, hs6)"
    if "product_complexity" in release.marts:
        columns += ", round(x.pci, 3) as pci, x.pci_rank"
        joins += " left join marts.product_complexity as x using (year, hs6)"
    return rows(
        connection,
        f"""select c.year, c.in_scope, round(c.world_exports_usd) as value, c.n_exporters, c.n_importers,
                   round(c.export_centrality, 5) as centrality, round(c.centrality_percentile, 4) as percentile,
                   round(c.export_hhi, 4) as hhi, c.high_centrality as central, c.top_exporter_iso3 as top,
                   round(c.top_exporter_share, 4) as top_share, round(c.top3_exporter_share, 4) as top3_share {columns}
            from marts.product_centrality as c {joins}
            where hs6 = ? and list_contains(?, c.year) order by c.year""",
        [good, list(years)],
    )


def _exporters(
    connection: duckdb.DuckDBPyConnection, release: Release, good: str, years: tuple[int, ...]
) -> Rows | None:
    """Every exporter of the good, by year."""
    if "trade_flows" not in release.marts:
        return None
    return rows(
        connection,
        f"""select year, {suppliers.COUNTRY.format("exporter")} as exporter, round(sum(value_usd)) as value,
                   count(distinct importer_code) as buyers,
                   round(sum(value_usd) / sum(sum(value_usd)) over (partition by year), 5) as share
            from marts.trade_flows
            where hs6 = ? and year in ({", ".join(map(str, years))})
            group by year, exporter order by year, value desc, exporter""",
        [good],
    )


def _importers(connection: duckdb.DuckDBPyConnection, release: Release, good: str, years: tuple[int, ...]) -> Rows:
    """Every country that imports the good by dependence, by year."""
    return rows(
        connection,
        f"""select year, coalesce(importer_iso3, importer_name) as importer, round(import_value_usd) as value,
                  n_suppliers as suppliers, round(import_hhi, 4) as hhi, top_supplier_iso3 as top,
                  round(top_supplier_share, 4) as top_share, category, round(vulnerability_index, 4) as index
           from marts.import_vulnerability
           where hs6 = ? and list_contains(?, year) and {release.of_countries("import_vulnerability")}
           order by year, round(import_hhi, 12) desc, round(import_value_usd, 2) desc, importer_code""",
        [good, list(years)],
    )


def _relocation(connection: duckdb.DuckDBPyConnection, release: Release) -> Rows | None:
    """How the trade of the settings' pairs grew in all goods, over the longest step of years."""
    if "relocation_growth" not in release.marts:
        return None
    return rows(
        connection,
        """select exporter_name, importer_name, year_from, year_to, bec_class, sum(value_from_usd) as before,
                  sum(value_to_usd) as after
           from marts.relocation_growth
           where year_to - year_from = (select max(year_to - year_from) from marts.relocation_growth)
           group by all order by exporter_name, importer_name, bec_class""",
    )


def _moved(found: Rows) -> str:
    return table(
        "All goods of the pairs watched for relocation, by use (this page's good is one of them)",
        [
            {
                "From": row["exporter_name"],
                "To": row["importer_name"],
                "Use": row["bec_class"],
                f"{row['year_from']}, USD": money(row["before"]),
                f"{row['year_to']}, USD": money(row["after"]),
                "Change": share(row["after"] / row["before"] - 1 if row["before"] else None),
            }
            for row in found
        ],
    )


def _removal(connection: duckdb.DuckDBPyConnection, release: Release, good: str) -> Rows | None:
    """What importers lose if one of the settings' exporters stops selling the good, in the newest year."""
    if "supplier_removal" not in release.marts:
        return None
    return rows(
        connection,
        """select year, exporter_name as exporter, importer_name as importer, lost_usd as lost, lost_share,
                  replaceable_share as replaceable, shortfall_usd as shortfall
           from marts.supplier_removal
           where hs6 = ? and year = (select max(year) from marts.supplier_removal where hs6 = ?)
           order by round(shortfall_usd, 2) desc, exporter_code, importer_code limit 15""",
        [good, good],
    )


def _removed(found: Rows) -> str:
    if not found:
        return paragraph("No exporter whose removal is computed sells this good.", "absent")
    return table(
        f"What the importers lose that lose most, {found[0]['year']}",
        [
            {
                "Supplier that stops": row["exporter"],
                "Importer": row["importer"],
                "Lost, USD": money(row["lost"]),
                "Of its imports of the good": share(row["lost_share"]),
                "Others could deliver": share(row["replaceable"]),
                "Falls short by, USD": money(row["shortfall"]),
            }
            for row in found
        ],
    )
