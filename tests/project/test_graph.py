"""The asset graph as a text file that a reviewer can read: a change of the graph is a change of that file.

After a change that is meant: `python -m tests.project.test_graph` writes the file anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from dagster_project.settings import load_settings

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")
# Datasets that are off unless they are chosen.
ALL_ON = {"CHOKEPOINT_RETURNS_SOURCE": "sample"}


def described() -> str:
    """Every asset with its group, partitioning, dependencies and checks, in a fixed order."""
    from dagster_project.build import build_definitions

    graph = build_definitions(settings=load_settings(ALL_ON, dotenv=None)).resolve_asset_graph()
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


def test_materialize_all_reaches_every_yearly_asset() -> None:
    """Dagster walks from partition to partition: an asset behind one without partitions would be left out."""
    from dagster_project.build import build_definitions

    graph = build_definitions(settings=load_settings(ALL_ON, dotenv=None)).resolve_asset_graph()
    cut_off = [
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if graph.get(key).is_partitioned
        and graph.get(key).parent_keys
        and not any(graph.get(parent).is_partitioned for parent in graph.get(key).parent_keys)
    ]
    assert not cut_off


GROUPS = {"raw", "landing", "staging", "intermediate", "marts", "release"}
ORIGIN = ("Source: ", "Read from ", "Computed from ", "Kept in ", "warehouse's marts", "current release")


def test_every_asset_is_described_and_owned() -> None:
    """In a group, with a description that says what it is and where it comes from, an owner and kinds."""
    from dagster_project.build import build_definitions

    settings = load_settings({**ALL_ON, "CHOKEPOINT_POSTGRES_URL": "postgresql://somebody@localhost/db"}, dotenv=None)
    graph = build_definitions(settings=settings).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node, name = graph.get(key), key.to_user_string()
        assert node.owners and node.kinds and node.group_name in GROUPS, name
        assert any(words in (node.description or "") for words in ORIGIN), name
        assert bool(node.freshness_policy) == (node.group_name in ("raw", "marts", "release")), name


def test_no_description_holds_what_the_ui_would_take_for_html() -> None:
    """Of assets, checks, jobs, schedules and sensors: `<data dir>` vanished from the release's."""
    from dagster_project.build import build_definitions

    definitions = build_definitions(settings=load_settings(ALL_ON, dotenv=None))
    graph = definitions.resolve_asset_graph()
    described = {key.to_user_string(): graph.get(key).description for key in graph.get_all_asset_keys()}
    described |= {str(key): graph.get(key).description for key in graph.asset_check_keys}
    others = [*(definitions.schedules or ()), *(definitions.sensors or ())]
    described |= {str(each): each.description for each in others}
    shown = {name: re.sub(r"```.*?```|`[^`]*`", "", text or "", flags=re.DOTALL) for name, text in described.items()}
    assert not {name: text for name, text in shown.items() if re.search(r"(?<!\\)<", text)}
    assert str(load_settings({}, dotenv=None).published_dir) in shown["release"]


def test_sources_that_are_off_leave_no_asset() -> None:
    from dagster_project.build import build_definitions

    off = {"CHOKEPOINT_TARIFF_SOURCE": "off", "CHOKEPOINT_PATENT_SOURCE": "off"}
    graph = build_definitions(settings=load_settings(off, dotenv=None)).resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert "release" in names and not [name for name in names if name.startswith(("raw/tariffs", "raw/patents"))]


if __name__ == "__main__":
    SNAPSHOT.write_text(described())
