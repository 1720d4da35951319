"""The dashboards as Superset's own YAML (`bi/superset/`): database, datasets, charts, dashboards.

`make docs` writes it; a test holds it to the marts' contract and to `dashboards`. What Superset exports after an import
is the same, but for the ids that it numbers things with and the time of the export; `make test-bi` checks that.

Not here: what the dashboards show (see `dashboards`), and Superset itself, which lives in an environment of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import yaml

from bi.dashboard import Bars, Chart, Dashboard, Dataset, Filter, Lines, Metric, Section, Table, Where
from bi.dashboards import COLOURS, DASHBOARDS, DATASETS, charts
from dagster_project.dbt_project import plain_manifest
from dagster_project.places import CHECKOUT
from dagster_project.publish.database import RELEASE_INFO, RELEASE_INFO_COLUMNS

FOLDER = CHECKOUT / "bi" / "superset"
# The one line that a user edits. Superset opens the file for each query, so it follows `current` to a new release.
DATABASE_FILE = "/srv/chokepoint/published/current/chokepoint.duckdb"
DATABASE, SCHEMA = "Chokepoint", "marts"
COLOUR_SCHEME, RED = "supersetColors", "#c0392b"
# A bar of shares that add up to a hair more than 1 would lose its last part at a bound of 1.
WHOLE = 1.000001
VERSION = "1.0.0"  # of the export format, not of the bundle
_NAMESPACE = uuid5(NAMESPACE_DNS, "chokepoint")
_CAPITALS = {"bec4", "bec5", "cdi3", "eu", "hhi", "hs2", "hs6", "id", "iso2", "iso3", "rta", "usd"}
# Types of the contract that the release's DuckDB file calls otherwise.
_TYPES = {"string": "varchar"}
# The export of a bundle names no moment, or every rewriting would be a change.
_NO_MOMENT = "2000-01-01T00:00:00+00:00"

Contract = Mapping[str, Mapping[str, tuple[str, str]]]


def contract(manifest: Mapping[str, Any]) -> Contract:
    """Mart -> column -> (type, description), from dbt's manifest, and the one table that publishing adds."""
    marts = {
        node["name"]: {
            column["name"]: (column["data_type"], " ".join(column["description"].split()))
            for column in node["columns"].values()
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["schema"] == SCHEMA
    }
    return {**marts, RELEASE_INFO: dict(RELEASE_INFO_COLUMNS)}


def bundle(marts: Contract) -> dict[str, str]:
    """File name -> YAML. ValueError names a chart or dataset that uses what the contract does not have."""
    files: dict[str, dict[str, Any]] = {
        "metadata.yaml": {"version": VERSION, "type": "Dashboard", "timestamp": _NO_MOMENT},
        f"databases/{DATABASE}.yaml": _database(),
    }
    for page in DASHBOARDS:
        files[f"dashboards/{_file_name(page.title)}.yaml"] = _dashboard(page)
    for dataset in DATASETS:
        files[f"datasets/{DATABASE}/{dataset.mart}.yaml"] = _dataset(dataset, marts)
    for chart in charts():
        files[f"charts/{_file_name(chart.title)}.yaml"] = _chart(chart, marts)
    return {name: yaml.safe_dump(content, sort_keys=False) for name, content in sorted(files.items())}


def main(folder: Path = FOLDER) -> None:
    """Write the bundle, and remove files that are no longer part of it."""
    files = bundle(contract(plain_manifest()))
    for path in folder.rglob("*.yaml"):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def uuid_of(kind: str, name: str) -> str:
    """The same for the same thing in every version, so that an import recognises what it has."""
    return str(uuid5(_NAMESPACE, f"superset/{kind}/{name}"))


def _file_name(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "", title.replace(" ", "_"))


def _database() -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": f"duckdb:///{DATABASE_FILE}",
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {"engine_params": {"connect_args": {"read_only": True}}, "allows_virtual_table_explore": True},
        "impersonate_user": False,
        "configuration_method": "sqlalchemy_form",
        "uuid": uuid_of("database", DATABASE),
        "version": VERSION,
    }


# -------------------------------------------------------------------------------------------- datasets


def _dataset(dataset: Dataset, marts: Contract) -> dict[str, Any]:
    columns = [_column(name, *facts) for name, facts in _columns(dataset, marts).items()]
    columns += [_column(name, "varchar", None, expression) for name, expression in dataset.calculated.items()]
    return {
        "table_name": dataset.mart,
        "main_dttm_col": None,
        "currency_code_column": None,
        "description": f"docs/data-dictionary.md, {dataset.mart}",
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "catalog": None,
        "schema": SCHEMA,
        "sql": None,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": None,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "folders": None,
        "uuid": uuid_of("dataset", dataset.mart),
        "metrics": [_metric(metric) for metric in dataset.metrics],
        "columns": columns,
        "version": VERSION,
        "database_uuid": uuid_of("database", DATABASE),
    }


def _columns(dataset: Dataset, marts: Contract) -> Mapping[str, tuple[str, str]]:
    """Its columns but the calculated ones."""
    if dataset.mart not in marts:
        raise ValueError(f"dataset {dataset.mart}: the marts' contract does not have it")
    return marts[dataset.mart]


def _column(name: str, type_: str, description: str | None, expression: str | None = None) -> dict[str, Any]:
    return {
        "column_name": name,
        "verbose_name": _label(name),
        "is_dttm": type_ == "date",
        "is_active": True,
        "type": _TYPES.get(type_, type_).upper(),
        "advanced_data_type": None,
        "groupby": True,
        "filterable": True,
        "expression": expression,
        "description": description,
        "python_date_format": None,
        "datetime_format": None,
        "extra": None,
    }


def _label(name: str) -> str:
    """A column's name for people: top_supplier_iso3 is "Top supplier ISO3"."""
    words = [word.upper() if word in _CAPITALS else word for word in name.split("_")]
    return " ".join(words)[0].upper() + " ".join(words)[1:]


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "metric_name": metric.name,
        "verbose_name": None,
        "metric_type": None,
        "expression": metric.expression,
        "description": None,
        "d3format": metric.format,
        "currency": None,
        "extra": None,
        "warning_text": None,
    }


# ---------------------------------------------------------------------------------------------- charts


def _chart(chart: Chart, marts: Contract) -> dict[str, Any]:
    """A chart with its settings (`params`, from which the browser asks) and the saved query (for the API)."""
    _require_known(chart, marts)
    form, query = _form_and_query(chart)
    params = {
        "viz_type": _viz_type(chart),
        "adhoc_filters": _adhoc_filters(chart.where),
        "row_limit": chart.limit,
        **form,
    }
    context = {
        "datasource": {"id": _number(chart.dataset), "type": "table"},
        "force": False,
        "queries": [{**_query(chart), **query}],
        "form_data": {"datasource": f"{_number(chart.dataset)}__table", **params},
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart.title,
        "description": chart.about,
        "certified_by": None,
        "certification_details": None,
        "viz_type": _viz_type(chart),
        "params": {**params, "annotation_layers": [], "datasource": f"{_number(chart.dataset)}__table"},
        "query_context": json.dumps(context),
        "cache_timeout": None,
        "uuid": uuid_of("chart", chart.title),
        "version": VERSION,
        "dataset_uuid": uuid_of("dataset", chart.dataset),
    }


def _require_known(chart: Chart, marts: Contract) -> None:
    dataset = _by_mart()[chart.dataset]
    known = {*_columns(dataset, marts), *dataset.calculated, *(metric.name for metric in dataset.metrics)}
    used = {chart.order, *(where.column for where in chart.where)}
    if isinstance(chart, Table):
        used |= {*chart.columns, *chart.metrics, *chart.formats}
    elif isinstance(chart, Bars):
        used |= {chart.x, *chart.metrics} | ({chart.series} if chart.series else set())
    elif isinstance(chart, Lines):
        used |= {chart.x, chart.metric, chart.series, chart.largest_by}
    if used - known:
        raise ValueError(f"chart {chart.title!r}: dataset {chart.dataset} does not have {sorted(used - known)}")


@cache
def _by_mart() -> dict[str, Dataset]:
    return {dataset.mart: dataset for dataset in DATASETS}


def _number(table: str) -> int:
    """A dataset's id inside the bundle: what an empty Superset gives it, others replace it by their own."""
    return sorted(_by_mart()).index(table) + 1


def _viz_type(chart: Chart) -> str:
    return {Table: "table", Bars: "echarts_timeseries_bar", Lines: "echarts_timeseries_line"}[type(chart)]


def _adhoc_filters(conditions: Sequence[Where]) -> list[dict[str, Any]]:
    return [
        {
            "clause": "WHERE",
            "expressionType": "SIMPLE",
            "subject": where.column,
            "operator": where.operator,
            "comparator": where.value,
        }
        for where in conditions
    ]


def _query(chart: Chart) -> dict[str, Any]:
    """What every query has, as the browser sends it."""
    conditions = [
        {"col": where.column, "op": where.operator, **({} if where.value is None else {"val": where.value})}
        for where in chart.where
    ]
    return {
        "filters": conditions,
        "extras": {"having": "", "where": ""},
        "applied_time_extras": {},
        "annotation_layers": [],
        "row_limit": chart.limit,
        "series_limit": 0,
        "group_others_when_limit_reached": False,
        "order_desc": not chart.ascending,
        "url_params": {},
        "custom_params": {},
        "custom_form_data": {},
        "time_offsets": [],
        "post_processing": [],
    }


def _form_and_query(chart: Chart) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(chart, Table):
        return _aggregated_table(chart) if chart.metrics else _raw_table(chart)
    if isinstance(chart, Bars):
        return _bars(chart)
    assert isinstance(chart, Lines)
    return _lines(chart)


def _raw_table(chart: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    form = {
        "query_mode": "raw",
        "all_columns": list(chart.columns),
        "order_by_cols": [json.dumps([chart.order, chart.ascending])],
        "order_desc": not chart.ascending,
        **_table_form(chart),
    }
    return form, {"columns": list(chart.columns), "orderby": [[chart.order, chart.ascending]]}


def _aggregated_table(chart: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    form = {
        "query_mode": "aggregate",
        "groupby": list(chart.columns),
        "metrics": list(chart.metrics),
        "timeseries_limit_metric": chart.order,
        "order_desc": not chart.ascending,
        **_table_form(chart),
    }
    query = {
        "columns": list(chart.columns),
        "metrics": list(chart.metrics),
        "orderby": [[chart.order, chart.ascending]],
        "series_limit_metric": chart.order,
    }
    return form, query


def _table_form(chart: Table) -> dict[str, Any]:
    alarms = [
        {"column": column, "operator": "begins with", "targetValue": text, "colorScheme": RED}
        for column, text in ([chart.alarm] if chart.alarm else [])
    ]
    return {
        "column_config": {name: {"d3NumberFormat": format_} for name, format_ in chart.formats.items()},
        "conditional_formatting": alarms,
        "show_cell_bars": False,
        "table_timestamp_format": "smart_date",
    }


def _bars(chart: Bars) -> tuple[dict[str, Any], dict[str, Any]]:
    by_x = chart.order == chart.x
    whole = chart.stacked and chart.format.endswith("%")
    form = {
        "x_axis": chart.x,
        "metrics": list(chart.metrics),
        "groupby": [chart.series] if chart.series else [],
        "xAxisForceCategorical": True,
        "x_axis_sort": chart.order,
        # A horizontal axis begins at the bottom, and the largest belongs at the top.
        "x_axis_sort_asc": chart.ascending != chart.horizontal,
        "order_desc": not chart.ascending,
        "orientation": "horizontal" if chart.horizontal else "vertical",
        "stack": "Stack" if chart.stacked else None,
        **({} if by_x else {"timeseries_limit_metric": chart.order}),
        **({} if chart.horizontal else {"x_axis_title": _label(chart.x), "x_axis_title_margin": 30}),
        **_axes_form(chart.format),
        "show_legend": chart.legend,
        **({"truncateYAxis": True, "y_axis_bounds": [0, WHOLE]} if whole else {}),
    }
    hidden = [] if by_x or chart.order in chart.metrics else [chart.order]
    sort: dict[str, Any] = {"is_sort_index": True} if by_x else {"by": chart.order}
    query = {
        "metrics": [*chart.metrics, *hidden],
        "orderby": [[chart.metrics[0] if by_x else chart.order, chart.ascending]],
        **({} if by_x else {"series_limit_metric": chart.order}),
        **_series(chart.x, chart.series, [*chart.metrics, *hidden], {**sort, "ascending": form["x_axis_sort_asc"]}),
    }
    return form, query


def _lines(chart: Lines) -> tuple[dict[str, Any], dict[str, Any]]:
    form = {
        "x_axis": chart.x,
        "metrics": [chart.metric],
        "groupby": [chart.series],
        "limit": chart.n_series,
        "timeseries_limit_metric": chart.largest_by,
        "order_desc": True,
        "xAxisForceCategorical": True,
        "x_axis_title": _label(chart.x),
        "x_axis_title_margin": 30,
        "markerEnabled": True,
        **_axes_form(chart.format),
    }
    query = {
        "metrics": [chart.metric],
        "orderby": [[chart.largest_by, False]],
        "order_desc": True,
        "series_limit": chart.n_series,
        "series_limit_metric": chart.largest_by,
        **_series(chart.x, chart.series, [chart.metric], {}),
    }
    return form, query


def _axes_form(format_: str) -> dict[str, Any]:
    return {
        "y_axis_format": format_,
        "show_legend": True,
        "legendType": "scroll",
        "legendOrientation": "top",
        "sort_series_type": "name",
        "sort_series_ascending": True,
        "rich_tooltip": True,
        "truncateYAxis": False,
        "y_axis_bounds": [None, None],
        "color_scheme": COLOUR_SCHEME,
    }


def _series(x: str, series: str | None, metrics: list[str], sort: dict[str, Any]) -> dict[str, Any]:
    """Columns of a chart with axes, and what Superset does with the rows: one column per series, sorted along x."""
    names = [series] if series else []
    pivot = {
        "index": [x],
        "columns": names,
        "aggregates": {metric: {"operator": "mean"} for metric in metrics},
        "drop_missing_columns": False,
    }
    rename = {"columns": {metrics[0]: None}, "level": 0, "inplace": True}
    arrange = {"operation": "rename", "options": rename} if series else {"operation": "sort", "options": sort}
    axis = {"columnType": "BASE_AXIS", "sqlExpression": x, "label": x, "expressionType": "SQL"}
    return {
        "columns": [{**axis, "isColumnReference": True}, *names],
        "series_columns": names,
        "post_processing": [{"operation": "pivot", "options": pivot}, arrange, {"operation": "flatten"}],
    }


# ------------------------------------------------------------------------------------------- dashboard


def _dashboard(page: Dashboard) -> dict[str, Any]:
    return {
        "dashboard_title": page.title,
        "description": page.about,
        "css": None,
        "slug": page.slug,
        "certified_by": None,
        "certification_details": None,
        "published": True,
        "uuid": uuid_of("dashboard", page.title),
        "position": _position(page),
        "metadata": {
            "color_scheme": COLOUR_SCHEME,
            "cross_filters_enabled": False,
            "native_filter_configuration": [_filter(each, page) for each in page.filters],
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "label_colors": dict(COLOURS),
            "shared_label_colors": [],
            "color_scheme_domain": [],
            "map_label_colors": {},
        },
        "theme_uuid": None,
        "version": VERSION,
    }


def _position(page: Dashboard) -> dict[str, Any]:
    """The page: for each section a heading and its rows of charts."""
    parents = ["ROOT_ID", "GRID_ID"]
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": page.title}},
    }
    for element in (element for section in page.sections for element in _section(section, parents)):
        position[element["id"]] = element
        if element["parents"] == parents:
            position["GRID_ID"]["children"].append(element["id"])
    return position


def _section(section: Section, parents: list[str]) -> Iterator[dict[str, Any]]:
    name = _file_name(section.title)
    yield {
        "type": "HEADER",
        "id": f"HEADER-{name}",
        "children": [],
        "parents": parents,
        "meta": {"text": section.title, "headerSize": "MEDIUM_HEADER", "background": "BACKGROUND_TRANSPARENT"},
    }
    for index, row in enumerate(section.rows, 1):
        row_id = f"ROW-{name}-{index}"
        elements = [
            {
                "type": "CHART",
                "id": f"CHART-{uuid_of('chart', chart.title)}",
                "children": [],
                "parents": [*parents, row_id],
                "meta": {
                    "chartId": _chart_number(chart),
                    "width": chart.width,
                    "height": chart.height,
                    "sliceName": chart.title,
                    "uuid": uuid_of("chart", chart.title),
                },
            }
            for chart in row
        ]
        yield {
            "type": "ROW",
            "id": row_id,
            "children": [element["id"] for element in elements],
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        yield from elements


def _chart_number(chart: Chart) -> int:
    """A chart's id inside the bundle: what an empty Superset gives it, others replace it by their own."""
    return sorted(_file_name(each.title) for each in charts()).index(_file_name(chart.title)) + 1


def _filter(each: Filter, page: Dashboard) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{each.column}",
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "name": each.name,
        "description": each.about,
        "targets": [{"column": {"name": each.column}, "datasetUuid": uuid_of("dataset", each.dataset)}],
        "controlValues": {
            "multiSelect": False,
            "enableEmptyFilter": True,
            "defaultToFirstItem": True,
            "inverseSelection": False,
            "searchAllOptions": True,
            "sortAscending": False,
        },
        "requiredFirst": True,
        **({"adhoc_filters": _adhoc_filters(each.where)} if each.where else {}),
        **({"sortMetric": each.sort_metric} if each.sort_metric else {}),
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {
            "rootPath": ["ROOT_ID"],
            "excluded": [_chart_number(chart) for chart in page.charts() if each.name not in chart.scope],
        },
    }


if __name__ == "__main__":
    main()
