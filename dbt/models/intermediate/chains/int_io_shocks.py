"""A cut through every table: its place in dbt. What is computed is in `dagster_project.datasets.chains.models`."""


def model(dbt, session):
    """One row per edition, year, exporter that is cut, and sector of another country."""
    from dagster_project.datasets.chains.models import shock_rows, tables_of_year
    from dagster_project.python_models import arrow_table, given_back, year_of

    flows, final, output = dbt.ref("stg_io_flows"), dbt.ref("stg_io_final"), dbt.ref("stg_io_output")
    classes, exporters = dbt.ref("sector_classes"), dbt.ref("stg_shock_exporters")
    goods = frozenset(row["sector"] for row in arrow_table(classes).to_pylist() if row["is_goods"])
    cuts = sorted((row["exporter_iso3"], row["cut"]) for row in arrow_table(exporters).to_pylist())
    return given_back(session, shock_rows(tables_of_year(year_of(dbt), flows, final, output), goods, cuts))
