"""How deep the chains of own citations are: its place in dbt. What is computed is in `dagster_project.datasets`."""


def model(dbt, session):
    """One row per publication that cites one of its applicant's own within five years."""
    from dagster_project.datasets.patents.kaizen import depths
    from dagster_project.python_models import arrow_table

    return depths(arrow_table(dbt.ref("int_pct_own_citations")))
