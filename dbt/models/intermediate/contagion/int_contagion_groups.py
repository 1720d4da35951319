"""The losses of peers and suppliers: its place in dbt. What is computed is in `dagster_project.datasets.contagion`."""


def model(dbt, session):
    """One row per event, window and group: the peers of each industry, and all suppliers together."""
    from dagster_project.datasets.contagion.event_study import groups
    from dagster_project.python_models import arrow_table

    return groups(
        arrow_table(dbt.ref("stg_contagion_returns")),
        arrow_table(dbt.ref("stg_contagion_securities")),
        arrow_table(dbt.ref("stg_contagion_events")),
        arrow_table(dbt.ref("stg_contagion_roles")),
    )
