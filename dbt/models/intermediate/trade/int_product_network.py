"""The network of every good: its place in dbt. What is computed is in `dagster_project.datasets.trade.network`."""


def model(dbt, session):
    """One row per year and good that one country sold to another."""
    from dagster_project.datasets.trade.network import networks
    from dagster_project.python_models import given_back, rows_of_year, year_of

    year = year_of(dbt)
    columns = ("hs6", "exporter_code", "importer_code", "value_usd")
    flows = rows_of_year(dbt.ref("int_trade_flows"), year, *columns)
    hs6, *numbers = flows.columns
    return given_back(session, networks(year, hs6, *(each.to_numpy() for each in numbers)))
