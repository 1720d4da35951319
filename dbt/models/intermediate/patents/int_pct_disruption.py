"""What later documents made of publications: its place in dbt. What is computed is in `dagster_project.datasets`."""


def model(dbt, session):
    """One row per publication that cites landed ones, where a later document cites it or one of those."""
    from dagster_project.datasets.patents.kaizen import disruption
    from dagster_project.python_models import arrow_table

    return disruption(arrow_table(dbt.ref("int_pct_documents")), arrow_table(dbt.ref("int_pct_places")))
