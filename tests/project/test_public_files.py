"""The pages for people: citation, links, named files, CI's commands and the glossary agree with the tree."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.settings import PROJECT_ROOT

FOLDERS = ("dagster_project", "dbt", "docs", "tests", "bench", "bi", ".github", ".ci")
OF_THE_TREE = (".py", ".sql", ".yml", ".md", ".toml", ".cff")
NAMES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
PAGES = [
    *(PROJECT_ROOT / name for name in NAMES if (PROJECT_ROOT / name).exists()),
    *sorted((PROJECT_ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]


@cache
def files() -> frozenset[str]:
    """Every file a page may name, as `/path/from/the/root`."""
    found = [path for folder in FOLDERS for path in (PROJECT_ROOT / folder).rglob("*") if path.is_file()]
    found += [path for path in PROJECT_ROOT.iterdir() if path.is_file()]
    return frozenset("/" + path.relative_to(PROJECT_ROOT).as_posix() for path in found)


def test_citation_file() -> None:
    citation = yaml.safe_load((PROJECT_ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "version", "license", "abstract", "keywords"} <= set(citation)
    assert citation["cff-version"] == "1.2.0" and citation["authors"]
    assert citation["version"] == project()["version"]
    assert citation["license"] == project()["license"]


def links(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:|#", target)]


def code(page: Path) -> Iterator[str]:
    """The code between backticks, and each word of a block of commands."""
    text = page.read_text()
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.split()


def alternatives(text: str) -> list[str]:
    """`a.{sql,yml}` as `a.sql` and `a.yml`."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", text)
    if match is None:
        return [text]
    return [each for part in match[1].split(",") for each in alternatives(text.replace(match[0], part.strip(), 1))]


def named_files(text: str) -> list[str]:
    """The files or folders of the repository that a piece of code names; `<name>` stands for any name."""
    if re.search(r"\s|\(|://", text.replace(", ", ",")):
        return []
    text = re.sub(r"(::.*|:\d+|#.*)$", "", text.replace(", ", ","))
    ours = "/" in text and text.split("/")[0] in FOLDERS
    return [each for each in alternatives(text) if ours or each.endswith(OF_THE_TREE)]


def is_there(name: str) -> bool:
    """Whether the tree holds that path: from the root, or, for a source file, at the end of some path."""
    pattern = re.sub(r"<[^<>]*>|\*+|…", "*", name.removeprefix("./").rstrip("/"))
    start = "^/" if name.split("/")[0] in FOLDERS else "/"
    parts = "[^/]*".join(re.escape(part) for part in pattern.split("*"))
    found = re.compile(f"{start}{parts}(/|$)")
    return any(found.search(path) for path in files())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dbt/models/marts/trade/bilateral_totals.{sql, yml}", ["bilateral_totals.sql", "bilateral_totals.yml"]),
        ("dagster_project/datasets/<name>/", ["datasets/<name>/"]),
        ("tests/project/test_graph.py::test_graph_is_as_reviewed", ["tests/project/test_graph.py"]),
        ("checks.py", ["checks.py"]),
        ("<data dir>/published/current/", []),
        ("drop/reference/", []),
        ("manifest.json", []),
        ("make test", []),
    ],
)
def test_what_counts_as_a_file_of_the_repository(text: str, named: list[str]) -> None:
    found = named_files(text)
    assert len(found) == len(named) and all(a.endswith(b) for a, b in zip(found, named, strict=True))


def test_what_counts_as_there() -> None:
    assert (
        is_there("dbt/models/marts/<dataset>/*.sql") and is_there("tests/project") and is_there("test_public_files.py")
    )
    assert (
        not is_there("dbt/models/marts/<dataset>/*.csv")
        and not is_there("project/tests")
        and not is_there("files.py.md")
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    missing = [link for link in links(page) if not (page.parent / link.split("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    missing = {name for text in code(page) for name in named_files(text) if not is_there(name)}
    assert not missing


def commands() -> list[str]:
    workflow = yaml.safe_load((PROJECT_ROOT / ".github/workflows/ci.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines() if line.strip()]


def test_workflow_calls_only_commands_of_the_project() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands()
    for command in commands():
        target = re.fullmatch(r"make ([a-z-]+)", command)
        assert command == "bash .ci/run" or (target is not None and target[1] in targets), command


def test_workflow_covers_every_python_version() -> None:
    limits = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project()["requires-python"])
    assert limits is not None
    workflow = yaml.safe_load((PROJECT_ROOT / ".github/workflows/ci.yml").read_text())
    versions = workflow["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert versions == [f"3.{minor}" for minor in range(int(limits[1]), int(limits[2]))]


def test_hooks_need_nothing_from_elsewhere() -> None:
    repos = yaml.safe_load((PROJECT_ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repo["repo"] for repo in repos} == {"local"}
    assert {hook["language"] for repo in repos for hook in repo["hooks"]} == {"system"}


def test_issue_forms_have_what_the_platform_asks_for() -> None:
    for path in sorted((PROJECT_ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")):
        form = yaml.safe_load(path.read_text())
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= set(form)
            fields = [field for field in form["body"] if field["type"] != "markdown"]
            assert all(field["attributes"]["label"] for field in fields)
            assert len({field["id"] for field in fields}) == len(fields)


def test_glossary_is_sorted_and_defines_each_word_once() -> None:
    sections = (PROJECT_ROOT / "docs/glossary.md").read_text().split("\n## ")[1:]
    words = [re.findall(r"^- \*\*(.+?)\*\* — \S", section, re.MULTILINE) for section in sections]
    assert len(words) == 2 and all(words)
    for section, found in zip(sections, words, strict=True):
        assert section.count("\n- ") == len(found), "a line without a word in bold and its meaning"
        assert found == sorted(found, key=str.casefold)
    assert len({word.casefold() for found in words for word in found}) == sum(map(len, words))
