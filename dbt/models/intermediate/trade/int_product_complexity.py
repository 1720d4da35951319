"""Product complexity: its place in dbt. What is computed is in `dagster_project.datasets.trade.complexity`."""


def model(dbt, session):
    """One row per year and good that is exported."""
    from dagster_project.datasets.trade.complexity import exports_of, product_complexity
    from dagster_project.python_models import given_back, rows_of_year, year_of

    year = year_of(dbt)
    columns = ("exporter_code", "hs6", "export_value_usd")
    country, hs6, value = rows_of_year(dbt.ref("int_exporter_products"), year, *columns).columns
    return given_back(session, product_complexity(year, exports_of(country.to_numpy(), hs6, value.to_numpy())))
