"""The abnormal return of every stock: its place in dbt. What is computed is in `dagster_project.datasets.contagion`."""


def model(dbt, session):
    """One row per event, stock and window."""
    from dagster_project.datasets.contagion.event_study import firms
    from dagster_project.python_models import arrow_table

    return firms(
        arrow_table(dbt.ref("stg_contagion_returns")),
        arrow_table(dbt.ref("stg_contagion_securities")),
        arrow_table(dbt.ref("stg_contagion_events")),
        arrow_table(dbt.ref("stg_contagion_roles")),
    )
