"""The logistic regression of the grant decision: its place in dbt. What it does is in `dagster_project.analysis`."""


def model(dbt, session):
    """One row per specification and term."""
    from dagster_project.datasets.tariffs.exclusion_regression import estimate

    return estimate(dbt.ref("int_exclusion_decisions").df())
