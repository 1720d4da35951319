"""The tests of the paradox: their place in dbt. What is estimated is in `dagster_project.paradox`."""


def model(dbt, session):
    """One row per level, edition, years, country, pair of measures and class of industries."""
    from dagster_project.paradox import paradox_tests
    from dagster_project.python_models import arrow_table, given_back

    return given_back(session, paradox_tests(arrow_table(dbt.ref("int_paradox_observations"))))
