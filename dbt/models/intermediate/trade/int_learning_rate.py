"""Learning rates: their place in dbt. What is computed is in `dagster_project.datasets.trade.learning`."""


def model(dbt, session):
    """One row per exporter, product and cumulation whose learning rate can be estimated."""
    from dagster_project.datasets.trade.learning import fitted
    from dagster_project.python_models import arrow_table

    return fitted(arrow_table(dbt.ref("int_learning_sums")))
