"""The templates that etlgen ships with: found wherever it is installed, and loadable."""

import shutil
import subprocess
import sys
from pathlib import Path

from etlgen.render import Renderer
from etlgen.templates import templates_root

ROOT = Path(__file__).parents[2]


def test_a_checkout_has_its_templates_at_the_top() -> None:
    assert templates_root() == ROOT / "templates"


def test_an_installed_wheel_has_them_inside(tmp_path: Path) -> None:
    package = tmp_path / "site-packages/etlgen"
    (package / "_templates").mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(ROOT / "etlgen/templates.py", package)
    script = "from etlgen.templates import templates_root; print(templates_root())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(package / "_templates")


def test_every_template_uses_only_what_its_kind_of_file_allows() -> None:
    renderer = Renderer([templates_root()])
    for template in renderer.templates():
        renderer.check(template)
