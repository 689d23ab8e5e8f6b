"""What etlgen remembers of a generation, in `.etlgen/`, committed with the project.

Per unit, `units/<unit>.json` says what was generated from which input, and `base/<unit>/` keeps the
text as generated: the common ancestor of a later three-way merge.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import PurePosixPath

from etlgen import __version__
from etlgen.errors import Finding, InternalError
from etlgen.rendered import RenderedFile, sha256

FOLDER = PurePosixPath(".etlgen")
FORMAT = 1

_HOUSEKEEPING = {
    ".gitattributes": "** -text -merge linguist-generated\n",
    ".gitignore": "tx-*\nlock\n",
    ".ignore": "*\n",
}


def state_files(files: Sequence[RenderedFile], inputs: Mapping[str, str]) -> dict[str, str]:
    """Path and text of all under `.etlgen/`; `inputs` is what each unit is generated from."""
    _require_owned(files, inputs)
    texts = {str(FOLDER / name): text for name, text in _HOUSEKEEPING.items()}
    for unit, source in inputs.items():
        owned = [file for file in files if file.unit == unit]
        texts[str(FOLDER / "units" / f"{unit}.json")] = _unit_state(unit, source, owned)
        for file in owned:
            texts[str(FOLDER / "base" / unit / f"{file.path}.base")] = file.text
    return dict(sorted(texts.items()))


def _unit_state(unit: str, source: str, files: Sequence[RenderedFile]) -> str:
    entries = sorted(files, key=lambda file: (file.template, file.resource or "", file.path))
    state = {
        "format": FORMAT,
        "unit": unit,
        "etlgen": __version__,
        "black": version("black"),
        "input_sha256": sha256(source),
        "files": [
            {
                "template": file.template,
                "resource": file.resource,
                "path": file.path,
                "sha256": sha256(file.text),
                "unstyled_sha256": file.unstyled_sha256,
            }
            for file in entries
        ],
    }
    return json.dumps(state, indent=2, ensure_ascii=False) + "\n"


def _require_owned(files: Sequence[RenderedFile], inputs: Mapping[str, str]) -> None:
    """Each file's unit has an input, and template and resource name one file of it."""
    seen: dict[tuple[str, str, str | None], RenderedFile] = {}
    for file in files:
        if file.unit is None:
            continue
        if file.unit not in inputs:
            message = f"its unit {file.unit!r} has no input"
            raise InternalError(Finding(file.path, None, None, "no-input", message))
        other = seen.setdefault((file.unit, file.template, file.resource), file)
        if other is not file:
            message = f"{other.path} is of the same unit, template and resource"
            raise InternalError(Finding(file.path, None, None, "same-identity", message))
