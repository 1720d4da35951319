"""The asset graph as a text file that a reviewer can read: a change of the graph is a change of that file.

After a change that is meant: `python -m tests.project.test_graph` writes the file anew.
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.settings import load_settings

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def described() -> str:
    """Every asset with its group, partitioning, dependencies and checks, in a fixed order."""
    from dagster_project.build import build_definitions

    graph = build_definitions(settings=load_settings({}, dotenv=None)).resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        lines.append(f"{key.to_user_string()}  [{node.group_name}{', by year' if node.is_partitioned else ''}]")
        lines += [f"    from {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
        checks = sorted((check.name, graph.get(check).blocking) for check in node.check_keys)
        lines += [f"    check {name}{' (blocking)' if blocking else ''}" for name, blocking in checks]
    return "\n".join(lines) + "\n"


def test_graph_is_as_reviewed() -> None:
    assert SNAPSHOT.read_text() == described(), "if this is meant: python -m tests.project.test_graph"


def test_every_asset_is_described_and_owned() -> None:
    from dagster_project.build import build_definitions

    graph = build_definitions(settings=load_settings({}, dotenv=None)).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description and node.owners and node.kinds, key.to_user_string()


def test_sources_that_are_off_leave_no_asset() -> None:
    from dagster_project.build import build_definitions

    off = {"CHOKEPOINT_TARIFF_SOURCE": "off", "CHOKEPOINT_PATENT_SOURCE": "off"}
    graph = build_definitions(settings=load_settings(off, dotenv=None)).resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert "release" in names and not [name for name in names if name.startswith(("raw/tariffs", "raw/patents"))]


if __name__ == "__main__":
    SNAPSHOT.write_text(described())
