"""The pages of docs/ that are made from the code: settings, datasets, drop folder, marts and the data dictionary.

`make docs` writes them; a test holds each to the declarations and to dbt's manifest. Not here: prose, which stands in
pages of its own, and any dataset's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster_project.archive.payload import Provenance
from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, Source
from dagster_project.datasets.registry import DATASETS
from dagster_project.dbt_project import folder_of, mart_specs, model_meta, plain_manifest
from dagster_project.jobs import news_sensor
from dagster_project.places import CHECKOUT
from dagster_project.publish.macros import MACROS, Macro
from dagster_project.publish.marts import MartSpec
from dagster_project.settings import DEFINITIONS, Definition
from dagster_project.sources.files import FileKind
from dagster_project.statements import HEAD, published_figures, rule

FOLDER = CHECKOUT / "docs"
Manifest = Mapping[str, Any]
DAY = 24 * 3600

SETTINGS = """# Settings

Made from the code by `make docs`; do not edit.

Set them as environment variables, or as lines `NAME=value` in a file `.env`. The environment goes before `.env`. An
empty value means the default. An unknown value, or an unknown name that begins with `CHOKEPOINT_`, is an error that
lists the valid ones: nothing falls back silently. `make demo` takes `CHOKEPOINT_DATA_DIR` from the environment
(default `demo`) and ignores the others.

A secret is in no message, log or manifest. `.env` and relative paths lie in the checkout; for an installed program, in
the current folder. `DAGSTER_HOME`, which is Dagster's own, holds run history and the state of schedules, and is
`.dagster` there unless you set it.
"""

DATASETS_HEAD = """# Datasets

Made from the declarations by `make docs`; do not edit. How files are read is in [sources.md](sources.md), how services
are asked in [live-sources.md](live-sources.md), and each publisher's terms in [drop-folder.md](drop-folder.md).

Every run looks at the sources that the settings choose. A live source that can be asked for news has a sensor and a
schedule too; they exist while it is chosen, and are stopped until you start them in the UI. Its raw asset, in the UI,
warns and then fails after that many days without a run. The schedule `daily_files` looks at the drop folder and the
sample, for all datasets that read them. Files of landing tables are below `landing/` in the data
directory.
"""

DROP_FOLDER = """# Files in the drop folder

Made from the declarations by `make docs`; do not edit. What happens with each file is in [sources.md](sources.md).

Files lie in the folder of their source or in any folder below it. Upper and lower case in names do not matter. `<…>`
stands for a part that varies. A file with another name is not read; the metadata of the raw asset names it.
"""

MARTS = """# Marts

Made from dbt's descriptions by `make docs`; do not edit. Every column is in the [data dictionary](data-dictionary.md).

"table" means: in `chokepoint.duckdb`, schema `marts`, and as `parquet/<mart>.parquet`. "table by year" means: in the
DuckDB file too, and as `parquet/<mart>/<year>/part-0.parquet`. "files by year" means: as those Parquet files only.
`year` is a column of the files as well. In `manifest.json`, `partitioned` and `in_database` say the same of each mart.
"""

DICTIONARY = """# Data dictionary

Made from dbt's column descriptions by `make docs`; do not edit. Money is in USD, shares are 0..1, codes are text with
leading zeros. [CH], [LIT] and [OURS] say whether a definition is the chapter's, the literature's or our choice
([glossary](glossary.md)).
"""

STATEMENTS = """# Statements of others, and the marts that speak to them

Made from the seed `published_figures` by `make docs`; do not edit.

Each row is a row of the mart [`published_benchmarks`](data-dictionary.md#published_benchmarks), which computes our
value from what is loaded, and gives the verdict by the rule of the last column: `reproduced`, `differs`, or
`not computable from these inputs`. The last one is the verdict of every row where a dataset is off, synthetic, or holds
too little (`inputs` says what was there and what is needed); so on the sample, which is synthetic, every row has it. No
verdict is written down anywhere: it follows from the data.

`chokepoint statements` prints this page for the current release, with our values, verdicts and inputs.
"""


MACROS_HEAD = """## SQL macros

Questions that `chokepoint.duckdb` answers by name, in schema `marts`, from DuckDB 1.1 on; their columns are in the
[data dictionary](data-dictionary.md#sql-macros). A macro looks for `marts` where you are: a session that attached the
file as `x` says `use x` first, or `set search_path = 'memory.main,x.marts'` to keep its own tables at hand.
Country codes are ISO 3166-1 alpha-3, codes of goods are text. [questions.md](questions.md) uses them.
"""


def settings_page() -> str:
    """Every setting: first those that choose a dataset's source, then the others."""
    choosing = {each.setting for each in DATASETS}
    head = ("variable", "values", "default", "meaning")
    return _page(
        SETTINGS,
        "## Which data\n\nWhat each value reads is in [datasets.md](datasets.md).",
        _table(head, (_setting(each) for each in DEFINITIONS if each.name in choosing)),
        "## All others",
        _table(head, (_setting(each) for each in DEFINITIONS if each.name not in choosing)),
    )


def _setting(definition: Definition) -> tuple[str, ...]:
    values = ", ".join(_code(value) for value in definition.choices) or plain(definition.values)
    meaning = plain(definition.meaning) + (" (**secret**)" if definition.secret else "")
    return _code(definition.variable), values, _code(definition.default), meaning


def datasets_page() -> str:
    """Every dataset: what it is, its sources, and its landing tables."""
    return _page(DATASETS_HEAD, *(part for each in DATASETS for part in _dataset(each)))


def _dataset(each: Dataset) -> Iterable[str]:
    yield f"## {each.name}: {each.title}\n\n{each.description}"
    if each.after:
        yield f"Its marts also read: {', '.join(each.after)}."
    rows = [(_code(source.name), _what_it_reads(source)) for source in each.sources]
    if _may_be_off(each):
        rows.append((_code("off"), "nothing: its marts are left out of the release"))
    yield _table((_code(_chooser(each).variable), "reads"), rows)
    if watched := [source for source in each.sources if isinstance(source, LiveService) and source.schedule]:
        head = ("live source", "sensor, looks every", "schedule (UTC)", "raw asset warns, fails after")
        yield _table(head, (_rhythm(each, service) for service in watched))
    yield _table(
        ("landing table", "holds", "files"),
        ((_code(table.name), plain(table.description), _code(table.path)) for table in each.tables),
    )


def _chooser(each: Dataset) -> Definition:
    return next(definition for definition in DEFINITIONS if definition.name == each.setting)


def _may_be_off(each: Dataset) -> bool:
    return "off" in _chooser(each).choices


def _what_it_reads(source: Source) -> str:
    match source:
        case Sample():
            return "the embedded synthetic sample"
        case DropFolder(kinds=kinds):
            return "your files in " + ", ".join(_code(f"drop/{name}/") for name in _folders(kinds))
        case LiveService():
            return "a service, over the network"


def _rhythm(each: Dataset, service: LiveService) -> tuple[str, ...]:
    warns, fails = service.stale
    return (
        _code(service.name),
        f"{_code(news_sensor(each))}, {_span(service.look_every)}",
        f"{_code(service.schedule)}, {_code(service.cron)}. {plain(service.why)}",
        f"{warns}, {fails} days",
    )


def _span(seconds: int) -> str:
    number, unit = (seconds // DAY, "day") if seconds % DAY == 0 else (seconds // 3600, "hour")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def drop_folder_page() -> str:
    """Every file that the drop folder may hold, by folder: what it is for, and its publisher's terms."""
    declared = [
        (each, source, kind)
        for each in DATASETS
        for source in each.sources
        if isinstance(source, DropFolder)
        for kind in source.kinds
    ]
    parts = [DROP_FOLDER]
    for folder in _folders(kind for _, _, kind in declared):
        # One row for all files of the same use and terms.
        files: dict[tuple[str, str, Provenance], list[str]] = {}
        for each, source, kind in declared:
            if kind.folder == folder:
                chosen_by = f"{_chooser(each).variable}={source.name}"
                files.setdefault((each.name, chosen_by, kind.provenance), []).append(plain(kind.looked_for))
        rows = (
            ("<br>".join(dict.fromkeys(names)), name, _code(chosen_by), *map(plain, _terms(provenance)))
            for (name, chosen_by, provenance), names in files.items()
        )
        parts.append(f"## `drop/{folder}/`")
        parts.append(_table(("file", "dataset", "read with", "publisher", "licence", "to cite"), rows))
    return _page(*parts)


def _folders(kinds: Iterable[FileKind]) -> list[str]:
    return list(dict.fromkeys(kind.folder for kind in kinds))


def _terms(provenance: Provenance) -> tuple[str, str, str]:
    return provenance.publisher, provenance.licence, provenance.citation


def marts_page(manifest: Manifest) -> str:
    """Every mart by dataset: its grain, its question, its key and how it is published."""
    datasets = {each.name: each for each in DATASETS}
    meta, specs = model_meta(manifest), mart_specs(manifest)
    folders = {node["name"]: folder_of(node) for node in manifest["nodes"].values()}
    found = {folders[spec.name] for spec in specs}
    parts = [MARTS]
    for folder in [name for name in datasets if name in found] + sorted(found - datasets.keys()):
        each = datasets.get(folder)
        parts.append(f"## {folder}")
        if each is None:
            parts.append("Made from the marts of all datasets that are on.")
        elif _may_be_off(each):
            parts.append(f"Left out of the release with `{_chooser(each).variable}=off`.")
        rows = (
            (
                f"[`{spec.name}`](data-dictionary.md#{spec.name})",
                plain(spec.description.split("\n")[0].removeprefix("One row per ").removesuffix(".")),
                plain(meta[spec.name].get("question", "")),
                ", ".join(map(_code, spec.key)),
                _form(spec),
            )
            for spec in specs
            if folders[spec.name] == folder
        )
        parts.append(_table(("mart", "one row per", "answers", "key", "published as"), rows))
    return _page(*parts, MACROS_HEAD, _table(("macro", "answers", "reads", "example"), map(_macro, MACROS)))


def _macro(macro: Macro) -> tuple[str, ...]:
    reads = [*macro.reads, *dict.fromkeys(mart for mart, _, _ in macro.optional.values())]
    return (
        _code(macro.call),
        f"{macro.answers} {plain(macro.notes)}",
        ", ".join(map(_code, reads)),
        _code(macro.example),
    )


def _form(spec: MartSpec) -> str:
    if not spec.in_database:
        return "files by year"
    return "table by year" if spec.year_column else "table"


def dictionary_page(manifest: Manifest) -> str:
    """Every mart's grain, question and key, and the type and meaning of each column."""
    meta = model_meta(manifest)
    types = {
        node["name"]: {column["name"]: column["data_type"] for column in node["columns"].values()}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    parts = [DICTIONARY]
    for spec in mart_specs(manifest):
        parts += [f"## {spec.name}", " ".join(spec.description.split())]
        if question := meta[spec.name].get("question"):
            parts.append(f"Answers: {question}")
        parts.append(f"Key: {', '.join(map(_code, spec.key))}")
        rows = ((_code(name), types[spec.name][name] or "", _one_line(text)) for name, text in spec.columns.items())
        parts.append(_table(("column", "type", "meaning"), rows))
    parts.append(
        "## SQL macros\n\nTables that the DuckDB file makes when it is asked ([marts.md](marts.md#sql-macros))."
    )
    for macro in MACROS:
        parts += [f"### {macro.call}", f"Answers: {macro.answers} {plain(macro.notes)}"]
        parts.append(_table(("column", "meaning"), ((_code(name), text) for name, text in macro.columns.items())))
    return _page(*parts)


def statements_page(manifest: Manifest) -> str:
    """Every published figure by dataset: who printed what, the mart that speaks to it and the rule of its verdict."""
    seed = next(node for node in manifest["nodes"].values() if node["name"] == "published_figures")
    parts = [STATEMENTS, _one_line(seed["description"].split("Sources: ")[1].join(("Sources: ", "")))]
    figures = published_figures()
    for dataset in dict.fromkeys(figure["dataset"] for figure in figures):
        parts.append(f"## {dataset}")
        rows = (
            (
                plain(figure["statement"]) + (f" *{plain(figure['note'])}*" if figure["note"] else ""),
                figure["source"],
                plain(figure["published_text"]),
                f"[`{figure['mart']}`](data-dictionary.md#{figure['mart']})",
                f"{rule(figure)} ({plain(figure['unit'])})",
            )
            for figure in figures
            if figure["dataset"] == dataset
        )
        parts.append(_table(HEAD, rows))
    return _page(*parts)


# File name in docs/ -> its text, from dbt's manifest.
PAGES: Mapping[str, Callable[[Manifest], str]] = {
    "settings.md": lambda manifest: settings_page(),
    "datasets.md": lambda manifest: datasets_page(),
    "drop-folder.md": lambda manifest: drop_folder_page(),
    "marts.md": marts_page,
    "data-dictionary.md": dictionary_page,
    "statements.md": statements_page,
}


def _page(*parts: str) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines).replace("| --- ", "|---").replace("|--- |", "|---|")


def _code(text: str) -> str:
    return f"`{text}`"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def plain(text: str) -> str:
    """Text that Markdown shows as it stands: `<year>` is no tag, and a star or an underscore no mark."""
    text = _one_line(text).replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\*|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", lambda mark: "\\" + mark[0], text)


def main(folder: Path = FOLDER) -> None:
    """Write the pages."""
    manifest = plain_manifest()
    for name, page in PAGES.items():
        (folder / name).write_text(page(manifest), encoding="utf-8")


if __name__ == "__main__":
    main()
