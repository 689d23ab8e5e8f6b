"""Kind `rest_api`: JSON endpoints over HTTP."""

from __future__ import annotations

from pathlib import Path

from etlgen.kinds import Kind
from etlgen.kinds.rest_api.plan import plan
from etlgen.kinds.rest_api.spec import RestResource, RestSource

KIND = Kind(
    name="rest_api",
    source_model=RestSource,
    resource_model=RestResource,
    templates=Path("kinds/rest_api"),
    runtime=tuple(
        Path("runtime") / f"{name}.py"
        for name in (
            "api_tokens",
            "endpoints",
            "fake_api",
            "fan_out",
            "http",
            "http_again",
            "http_auth",
            "http_oauth",
            "json_paths",
            "json_records",
            "newest_first",
            "pages",
        )
    ),
    plan=plan,
)
