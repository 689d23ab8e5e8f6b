"""Literal placeholders in the paths of templates: `src/__package__/sources/__source__/…`."""

import re
from collections.abc import Mapping

from etlgen.errors import Finding, InternalError
from etlgen.rendered import require_inside

_PLACEHOLDER = re.compile(r"__([a-z]+)__")
_PYTHONS_OWN = {"init", "main"}


def output_path(template: str, names: Mapping[str, str]) -> str:
    """The path that a template's own path stands for, e.g. `dags/__dag__.py.jinja`."""

    def filled(found: re.Match[str]) -> str:
        name = found[1]
        if name in names:
            return names[name]
        if name in _PYTHONS_OWN:
            return found[0]
        known = ", ".join(names) or "none"
        message = f"no name is given for the placeholder __{name}__ (there are: {known})"
        raise InternalError(Finding(template, None, None, "unknown-placeholder", message))

    for name, value in names.items():
        require_inside(value, template)
        if "/" in value:
            message = f"{value!r} for __{name}__ is more than one folder or file name"
            raise InternalError(Finding(template, None, None, "unsafe-path", message))
    return _PLACEHOLDER.sub(filled, template.removesuffix(".jinja"))
