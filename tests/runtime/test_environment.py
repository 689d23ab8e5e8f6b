"""Settings: the environment before `.env` before the default, and no value changed on the way."""

from pathlib import Path

import pytest

from runtime.environment import Environment
from runtime.errors import ConfigError

ODD = "p@ss:w%2Frd/#?&'\"$HOME\\ ${X}"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.delenv("SHOP_PATH", raising=False)
    return Environment(tmp_path)


def write_env(environment: Environment, text: str) -> None:
    (environment.folder / ".env").write_text(text)


def test_the_environment_goes_before_the_file(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_env(environment, "SHOP_PATH=from-file\n")
    monkeypatch.setenv("SHOP_PATH", "from-environment")
    assert environment.get("SHOP_PATH", "default") == "from-environment"


def test_the_file_goes_before_the_default(environment: Environment) -> None:
    write_env(environment, "SHOP_PATH=from-file\n")
    assert environment.get("SHOP_PATH", "default") == "from-file"


def test_an_empty_value_counts_as_not_set(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_env(environment, "SHOP_PATH=\n")
    monkeypatch.setenv("SHOP_PATH", "")
    assert environment.get("SHOP_PATH", "default") == "default"
    assert environment.get("SHOP_PATH") is None


def test_no_character_of_a_value_is_touched(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    quoted = ODD.replace("\\", "\\\\").replace("'", "\\'")
    write_env(environment, f"SHOP_PATH='{quoted}'\n")
    assert environment.get("SHOP_PATH") == ODD
    monkeypatch.setenv("SHOP_PATH", ODD + "\n")
    assert environment.get("SHOP_PATH") == ODD + "\n"


def test_a_missing_setting_says_what_to_write_and_where(environment: Environment) -> None:
    with pytest.raises(ConfigError) as caught:
        environment.require("SHOP_PATH", "data/shop")
    assert "SHOP_PATH is not set" in str(caught.value)
    assert f"{environment.folder / '.env'}:\n  SHOP_PATH=data/shop" in str(caught.value)


def test_a_relative_path_starts_from_the_project(environment: Environment) -> None:
    assert environment.path("data/shop") == environment.folder / "data" / "shop"
    assert environment.path("/data") == Path("/data")
    assert environment.path("~") == Path.home()


def test_the_project_is_where_pyproject_is(tmp_path: Path) -> None:
    module = tmp_path / "src" / "shop" / "settings.py"
    module.parent.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert Environment.of(str(module)).folder == tmp_path


def test_an_installed_package_works_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    installed = tmp_path / "lib" / "site-packages" / "shop" / "settings.py"
    assert Environment.of(str(installed)).folder == tmp_path
