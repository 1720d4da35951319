"""The measures of a good's network once more, as plainly as they can be written: networkx, and Barrat's sum in full.

Not here: which networks are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import networkx as nx

# networkx stops when a step changes the ranks by less than this, times the number of countries.
TOLERANCE = 1e-15


def plain_network(flows: Mapping[tuple[int, int], float]) -> dict[str, Any]:
    """The columns of `int_product_network` from value by (exporter, importer); at least one flow, none to itself."""
    graph, both_ways = nx.DiGraph(), nx.Graph()
    for (exporter, importer), value in flows.items():
        graph.add_edge(exporter, importer, weight=value)
        before = both_ways.get_edge_data(exporter, importer, {"weight": 0.0})["weight"]
        both_ways.add_edge(exporter, importer, weight=before + value)
    clustered = [barrat(both_ways, country) for country in both_ways if both_ways.degree(country) >= 2]
    components = list(nx.connected_components(both_ways))
    largest = max(map(len, components))
    diameters = [nx.diameter(both_ways.subgraph(each)) for each in components if len(each) == largest]
    (supplier, supplied), (buyer, bought) = top(graph.reverse()), top(graph)
    return {
        "n_countries": len(graph),
        "n_links": graph.size(),
        "n_components": len(components),
        "largest_component": largest,
        "clustering": sum(clustered) / len(clustered) if clustered else None,
        "diameter": max(diameters),
        "density": nx.density(graph),
        "reciprocity": nx.overall_reciprocity(graph),
        "top_pagerank_code": supplier,
        "top_pagerank": supplied,
        "top_buyer_pagerank_code": buyer,
        "top_buyer_pagerank": bought,
    }


def barrat(graph: nx.Graph, country: int) -> float:
    """Over the pairs of partners that are partners themselves, the mean strength of the two links to them."""
    links = {partner: edge["weight"] for partner, edge in graph[country].items()}
    closed = sum(links[j] + links[h] for j, h in combinations(links, 2) if graph.has_edge(j, h))
    return closed / (sum(links.values()) * (len(links) - 1))


def top(graph: nx.DiGraph) -> tuple[int, float]:
    """Country and rank of the greatest PageRank; of equal ones (to 1e-12) the lowest code."""
    ranks = nx.pagerank(graph, alpha=0.85, weight="weight", tol=TOLERANCE, max_iter=5000)
    greatest = max(ranks.values())
    return min(code for code, rank in ranks.items() if rank >= greatest * (1 - 1e-12)), greatest
