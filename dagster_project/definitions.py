"""What `workspace.yaml` loads. The settings come from the environment and `.env`. Not here: the graph (see `build`)."""

from dagster_project.build import build_definitions

defs = build_definitions()
