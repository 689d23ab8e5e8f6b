"""Kind `counter`: rows that are made of a range of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from etlgen.kinds import Kind, KindPlan
from etlgen.pycode import Code, code
from etlgen.spec.models import ResourceSpec, SourceSpec

TOY = Path(__file__).parents[2]


class CounterResource(ResourceSpec):
    """As many rows as it says."""

    count: int = Field(gt=0, examples=[10])


class CounterSource(SourceSpec):
    """Where to start counting."""

    kind: Literal["counter"]
    start: int = 1
    resources: Mapping[str, CounterResource]


@dataclass(frozen=True)
class CounterDetail:
    """One resource: its range, and the columns that the numbers go to."""

    numbers: Code
    count: int
    is_partitioned: bool = False
    reads_files: bool = False

    @property
    def code(self) -> tuple[Code, ...]:
        return (self.numbers,)


def plan(source: CounterSource) -> KindPlan:
    return KindPlan(
        source.start,
        {
            name: CounterDetail(
                code(
                    "Numbers({columns}, count={count})",
                    imports=["runtime.numbers:Numbers"],
                    columns=[column.from_names[0] for column in resource.resolved_columns()],
                    count=resource.count,
                ),
                resource.count,
            )
            for name, resource in source.resources.items()
        },
    )


KIND = Kind(
    name="counter",
    source_model=CounterSource,
    resource_model=CounterResource,
    templates=TOY / "templates",
    runtime=(TOY / "runtime/numbers.py",),
    plan=plan,
)
