"""Every sector of every table: its place in dbt. What is computed is in `dagster_project.datasets.chains.models`."""


def model(dbt, session):
    """One row per edition, year, country and sector with output."""
    from dagster_project.datasets.chains.models import sector_rows, tables_of_year
    from dagster_project.python_models import given_back, year_of

    flows, final, output = dbt.ref("stg_io_flows"), dbt.ref("stg_io_final"), dbt.ref("stg_io_output")
    return given_back(session, sector_rows(tables_of_year(year_of(dbt), flows, final, output)))
