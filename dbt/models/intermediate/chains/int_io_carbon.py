"""Where the carbon behind a product was emitted: its place in dbt. See `dagster_project.datasets.chains.models`."""


def model(dbt, session):
    """One row per edition and year with emission intensities, country that emits, country and sector with output."""
    from dagster_project.datasets.chains.models import carbon_rows, intensities_of_year, tables_of_year
    from dagster_project.python_models import given_back, year_of

    flows, final, output = dbt.ref("stg_io_flows"), dbt.ref("stg_io_final"), dbt.ref("stg_io_output")
    known = intensities_of_year(year_of(dbt), dbt.ref("stg_io_emissions"))
    return given_back(session, carbon_rows(tables_of_year(year_of(dbt), flows, final, output, known), known))
