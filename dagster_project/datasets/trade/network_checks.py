"""Checks of the networks of goods: plausible values, and values by another road.

The models solve systems of equations over matrices; here the same follows from joins and from steps repeated until
nothing changes. Not here: the other marts of trade (`mart_checks`, `recomputed`, `complexity_checks`), and hand-worked
cases (the tests).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals, sampled

NETWORKS = 6
# 0.85 to this power is below the last digit of a rank.
_STEPS = 220
_TOLERANCE = 1e-9

_OTHER_GOODS = """
    select year, hs6, n.hs6 is not null as in_product_network, c.hs6 is not null as in_product_centrality
    from (select year, hs6 from {batch}) as n full join product_centrality as c using (year, hs6)
    where n.hs6 is null or c.hs6 is null
"""
_BAD_NETWORKS = f"""
    select * from {{batch}}
    where n_links > n_countries * (n_countries - 1) or 2 * n_links < n_countries
        or n_components * 2 > n_countries or largest_component > n_countries - 2 * (n_components - 1)
        or (n_links > 0) <> (largest_component >= 2)
        or (n_links > 0 and (diameter is null or density is null or reciprocity is null))
        or (n_links > 0 and (top_pagerank is null or top_buyer_pagerank is null))
        or not diameter between 1 and largest_component - 1
        or not density between 0 and 1 or not reciprocity between 0 and 1
        or not clustering between 0 and 1 + {_TOLERANCE}
        or (clustering is null) <> (clustering_component is null)
        or not top_pagerank between 1 / n_countries - {_TOLERANCE} and 1
        or not top_buyer_pagerank between 1 / n_countries - {_TOLERANCE} and 1
"""
_NETWORK_FACTS = """
    select count(*) as goods, count(*) - count(clustering) as goods_without_clustering, avg(clustering) as clustering,
        max(diameter) as greatest_diameter, count(*) filter (n_components > 1) as goods_in_several_parts
    from {batch}
"""
# Everything of a sampled good: links of either direction, paths hop by hop (one hop beyond the mart's diameter, to see
# a longer one), triangles, and ranks step by step from 1 for every country.
_NETWORKS = f"""
    with recursive links as materialized (
        select year, hs6, exporter_code as i, importer_code as j, value_usd as w
        from trade_flows semi join sampled_networks using (year, hs6)
        where exporter_code <> importer_code and value_usd > 0
    ),
    ties as materialized (
        select year, hs6, i, j, sum(w) as s from (
            select * from links union all select year, hs6, j, i, w from links
        ) group by all
    ),
    countries as materialized (
        select year, hs6, i, count(*) as k, sum(s) as s from ties group by all
    ),
    paths (year, hs6, i, j, hops) as (
        select year, hs6, i, i, 0 from countries
        union
        select p.year, p.hs6, p.i, t.j, p.hops + 1
        from paths as p join ties as t on t.year = p.year and t.hs6 = p.hs6 and t.i = p.j
        join product_network as mart on mart.year = p.year and mart.hs6 = p.hs6
        where p.hops <= mart.diameter
    ),
    distances as (select year, hs6, i, j, min(hops) as hops from paths group by all),
    reached as (select year, hs6, i, count(*) as size, max(hops) as hops from distances group by all),
    extents as (
        select year, hs6, sum(1 / size) as n_components, max(size) as largest_component,
            arg_max(hops, (size, hops)) as diameter
        from reached group by all
    ),
    closed as (
        select one.year, one.hs6, one.i, sum(one.s) as s
        from ties as one
        join ties as two on two.year = one.year and two.hs6 = one.hs6 and two.i = one.i
        join ties as three on three.year = one.year and three.hs6 = one.hs6 and three.i = one.j and three.j = two.j
        group by all
    ),
    clusterings as (
        select year, hs6, avg(coalesce(closed.s, 0) / (countries.s * (k - 1))) as clustering
        from countries left join closed using (year, hs6, i) where k >= 2 group by all
    ),
    -- Where rank flows, with a share of 0 of every country to itself, so that none is lost in a step.
    shares as materialized (
        select *, w / sum(w) over (partition by way, year, hs6, i) as share from (
            select 'supplier' as way, year, hs6, j as i, i as j, w from links
            union all select 'buyer', year, hs6, i, j, w from links
        )
        union all select way, year, hs6, i, i, 0, 0
        from countries cross join (values ('supplier'), ('buyer')) as directions (way)
    ),
    steps (step, way, year, hs6, i, y) as (
        select 0, way, year, hs6, i, 1::double from shares where i = j
        union all
        select any_value(step) + 1, s.way, s.year, s.hs6, s.j, 1 + 0.85 * sum(s.share * y)
        from steps join shares as s using (way, year, hs6, i)
        where step < {_STEPS} group by s.way, s.year, s.hs6, s.j
    ),
    ranks as (
        select *, y / sum(y) over (partition by way, year, hs6) as rank from steps where step = {_STEPS}
    ),
    leaders as (
        select year, hs6, way, max(rank) as rank, arg_max(i, (round(rank, 10), -i)) as code from ranks group by all
    )
    select year, hs6, n_links, n_countries, n_components, largest_component, diameter, clustering,
        clustering * diameter as clustering_component, n_links / (n_countries * (n_countries - 1)) as density,
        n_mutual / n_links as reciprocity, supplier.code as top_pagerank_code, supplier.rank as top_pagerank,
        buyer.code as top_buyer_pagerank_code, buyer.rank as top_buyer_pagerank
    from (
        select year, hs6, count(*) as n_links, count(back.w) as n_mutual
        from links left join (select year, hs6, j as i, i as j, w from links) as back using (year, hs6, i, j)
        group by all
    )
    join (select year, hs6, count(*) as n_countries from countries group by all) using (year, hs6)
    join extents using (year, hs6) left join clusterings using (year, hs6)
    join (from leaders where way = 'supplier') as supplier using (year, hs6)
    join (from leaders where way = 'buyer') as buyer using (year, hs6)
"""

NETWORK_PREPARED: Mapping[str, str] = {
    "sampled_networks": sampled("product_network", "year, hs6", NETWORKS, where="n_links > 0"),
}

NETWORK_CHECKS = (
    Check(
        "goods_match_centrality",
        "product_network",
        "ERROR",
        "The goods are those of product_centrality, no more and no fewer.",
        (no_rows(_OTHER_GOODS),),
    ),
    Check(
        "measures_plausible",
        "product_network",
        "ERROR",
        "Shares and ranks lie in [0, 1], parts and paths fit the number of countries, and a network has its measures.",
        (no_rows(_BAD_NETWORKS),),
        facts=_NETWORK_FACTS,
    ),
    Check(
        "recomputed_from_flows",
        "product_network",
        "ERROR",
        f"The networks of {NETWORKS} goods are recomputed from their flows: links, paths, triangles and ranks.",
        (
            equals(
                _NETWORKS,
                "year, hs6",
                numbers=(
                    *("clustering", "clustering_component", "density", "reciprocity", "top_pagerank"),
                    *("top_buyer_pagerank", "n_components"),
                ),
                others=(
                    *("n_countries", "n_links", "largest_component", "diameter", "top_pagerank_code"),
                    "top_buyer_pagerank_code",
                ),
                sample=("sampled_networks", "year, hs6"),
                # Ranks are published to 12 decimal places, and a product of a rounded number is off by its factor.
                tolerance="1e-9 * abs({value}) + 1e-11",
            ),
        ),
    ),
)
