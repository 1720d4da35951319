"""What `workspace.yaml` loads. The settings come from the environment and `.env`."""

from dagster_project.build import build_definitions

defs = build_definitions()
