"""The logistic regression of the grant decision: its place in dbt. What it does is in `dagster_project.datasets`."""


def model(dbt, session):
    """One row per specification and term."""
    from dagster_project.datasets.tariffs.exclusion_regression import estimate
    from dagster_project.python_models import arrow_table

    return estimate(arrow_table(dbt.ref("int_exclusion_decisions")).to_pandas())
