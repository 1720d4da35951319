"""Exclusions from the United States' additional duties: how often they were granted, to whom, and until when.

Not here: a good's exclusions alone (see `good`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Control, Item, Page, Table
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Reader


def page(reader: Reader, choice: Choice) -> Page:
    """The page of all lists, or of one."""
    parts.require(reader, "exclusion_rates")
    lists = [row["list_id"] for row in reader.rows("select list_id from marts.exclusion_rates order by list_id")]
    chosen = choice.one_of("list", lists)
    return Page(
        f"Tariff exclusions, list {chosen}" if chosen else "Tariff exclusions",
        [
            parts.section(reader, "By list", ["exclusion_rates"], lambda: _lists(reader, choice)),
            parts.section(reader, "By industry", ["exclusion_rates_by_industry"], lambda: _industries(reader, chosen)),
            parts.section(reader, "By good", ["exclusion_determinants"], lambda: _goods(reader, choice, chosen)),
            parts.section(reader, "Who asked", ["exclusion_requesters"], lambda: _requesters(reader, choice, chosen)),
            parts.section(reader, "In force", ["exclusions_in_force"], lambda: _in_force(reader, choice, chosen)),
            parts.section(reader, "What decides", ["exclusion_regression"], lambda: [_regression(reader)]),
        ],
        lead=_lead(reader),
        controls=[
            Control("list", "List", "select", chosen, [("", "all"), *((each, f"List {each}") for each in lists)]),
            Control("q", "Requesters, HS6 or HTS10 that contain", "text", choice.text("q")),
        ],
    )


def _lead(reader: Reader) -> str:
    found = reader.one(
        "select sum(requests) as requests, sum(granted) as granted, sum(denied) as denied from marts.exclusion_rates"
    )
    if not found or not found["requests"]:
        return "The release holds no requests."
    decided = (found["granted"] or 0) + (found["denied"] or 0)
    share = f"{100 * found['granted'] / decided:.1f} %" if decided else "none"
    return f"{found['requests']:,.0f} requests for exclusion; {share} of the {decided:,.0f} decided ones were granted."


def _lists(reader: Reader, choice: Choice) -> list[Item]:
    found = reader.rows(
        """select list_id, requests, granted, denied, pending, approval_share, approval_share_without_top_requester,
                  top_requester, additional_duty, covered_trade_usd from marts.exclusion_rates order by list_id"""
    )
    bars = [
        {"label": f"List {row['list_id']}", "value": row["approval_share"], "link": choice.link(list=row["list_id"])}
        for row in found
        if row["approval_share"] is not None
    ]
    table = Table(
        "lists",
        "Exclusion requests by list",
        [
            Column("list_id", "List", link=lambda row: choice.link(list=row["list_id"])),
            Column("requests", "Requests", "count"),
            Column("granted", "Granted", "count"),
            Column("denied", "Denied", "count"),
            Column("pending", "Pending", "count"),
            Column("approval_share", "Share granted", "share"),
            Column("approval_share_without_top_requester", "Without the largest filer", "share"),
            Column("top_requester", "Largest filer"),
            Column("additional_duty", "Additional duty", "share"),
            Column("covered_trade_usd", "Trade covered, USD", "usd"),
        ],
        found,
    )
    chart = Chart(
        charts.bars(bars, "label", "value", "Granted of decided requests", "share", "link"),
        "Bars of the share of requests granted by list; the table below has them.",
    )
    return [*([chart] if bars else []), table]


def _industries(reader: Reader, chosen: str) -> list[Item]:
    found = reader.rows(
        """select list_id, hs2, hs2_name, requests, granted, denied, approval_share, n_hs6
           from marts.exclusion_rates_by_industry where $list in ('', list_id)
           order by requests desc, list_id, hs2""",
        {"list": chosen},
    )
    shares = [row for row in found if row["approval_share"] is not None]
    top = list(dict.fromkeys(row["hs2"] for row in shares))[:15]
    marks = [
        {
            "list": f"List {row['list_id']}",
            "industry": parts.chapter(reader, row["hs2"]),
            "share": row["approval_share"],
        }
        for row in shares
        if row["hs2"] in top
    ]
    table = Table(
        "industries",
        "Exclusion requests by industry and list",
        [
            Column("list_id", "List"),
            Column("hs2", "HS2"),
            Column("hs2_name", "Industry"),
            Column("requests", "Requests", "count"),
            Column("granted", "Granted", "count"),
            Column("denied", "Denied", "count"),
            Column("approval_share", "Share granted", "share"),
            Column("n_hs6", "Goods", "count"),
        ],
        found,
    )
    chart = Chart(
        charts.cells(marks, "list", "industry", "share", "Granted"),
        "Coloured cells: the share granted by list, for the industries with most requests; the table has all.",
    )
    return [*([chart] if marks else []), table]


def _goods(reader: Reader, choice: Choice, chosen: str) -> list[Item]:
    found = reader.rows(
        """select list_id, hs6, requests, granted, approval_share, n_requesters, us_import_value_usd,
                  china_import_share, export_centrality from marts.exclusion_determinants
           where $list in ('', list_id) order by requests desc, list_id, hs6""",
        {"list": chosen},
    )
    columns = [
        Column("list_id", "List"),
        parts.good_column(choice),
        Column("hs6_name", "Good"),
        Column("requests", "Requests", "count"),
        Column("granted", "Granted", "count"),
        Column("approval_share", "Share granted", "share"),
        Column("n_requesters", "Requesters", "count"),
        Column("us_import_value_usd", "US imports, USD", "usd"),
        Column("china_import_share", "Of them China's", "share"),
        Column("export_centrality", "Centrality", "index"),
    ]
    shown = [
        row for row in parts.named(reader, found) if choice.text("q") in row["hs6"] or not choice.text("q").isdigit()
    ]
    return [Table("goods", "Exclusion requests by list and good", columns, shown)]


def _requesters(reader: Reader, choice: Choice, chosen: str) -> list[Item]:
    words = choice.text("q")
    found = reader.rows(
        """select list_id, requester, requests, granted, denied, approval_share, n_hs6 from marts.exclusion_requesters
           where $list in ('', list_id) and contains(lower(requester), lower($words))
           order by requests desc, list_id, requester limit 5000""",
        {"list": chosen, "words": "" if words.isdigit() else words},
    )
    columns = [
        Column("list_id", "List"),
        Column("requester", "Requester"),
        Column("requests", "Requests", "count"),
        Column("granted", "Granted", "count"),
        Column("denied", "Denied", "count"),
        Column("approval_share", "Share granted", "share"),
        Column("n_hs6", "Goods", "count"),
    ]
    return [Table("requesters", "Who asked, as the name is written", columns, found)]


def _in_force(reader: Reader, choice: Choice, chosen: str) -> list[Item]:
    words = choice.text("q")
    found = reader.rows(
        """select list_id, hts10, valid_from, valid_to, n_items, document from marts.exclusions_in_force
           where $list in ('', list_id) and contains(hts10, $digits)
           order by valid_to desc nulls first, list_id, hts10, valid_from limit 5000""",
        {"list": chosen, "digits": words if words.isdigit() else ""},
    )
    columns = [
        Column("list_id", "List"),
        Column(
            "hts10",
            "HTS10",
            link=lambda row: (
                choice.link("/good", hs6=row["hts10"][:6]) if row["hts10"][:6] in reader.names.goods else None
            ),
        ),
        Column("valid_from", "From"),
        Column("valid_to", "To"),
        Column("n_items", "Items", "count"),
        Column("document", "Document"),
    ]
    return [Table("in_force", "Products that were excluded, and when", columns, found)]


def _regression(reader: Reader) -> Table:
    found = reader.rows(
        """select specification, term, estimate, std_error, z_value, p_value, odds_ratio, n, note
           from marts.exclusion_regression order by specification, term"""
    )
    columns = [
        Column("specification", "Specification"),
        Column("term", "Term"),
        Column("estimate", "Estimate", "number"),
        Column("std_error", "Standard error", "number"),
        Column("p_value", "p", "number"),
        Column("odds_ratio", "Odds ratio", "number"),
        Column("n", "Requests", "count"),
        Column("note", "Note"),
    ]
    return Table("regression", "Logistic regression of the decision: docs/exclusions.md", columns, found)
