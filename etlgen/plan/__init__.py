"""Spec -> ProjectPlan: every name, path and expression of the project, decided before rendering."""

from etlgen.plan.model import ProjectPlan, ResourcePlan, SourcePlan
from etlgen.plan.project import plan_project

__all__ = ["ProjectPlan", "ResourcePlan", "SourcePlan", "plan_project"]
