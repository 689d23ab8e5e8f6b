"""Settings: the process's environment first, then the `.env` file beside pyproject.toml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from dotenv import dotenv_values

from .errors import ConfigError


@dataclass(frozen=True)
class Environment:
    """The variables that a project sees. An empty one counts as not set."""

    folder: Path

    @classmethod
    def of(cls, package_file: str) -> Environment:
        """The environment of the checkout that this file is in, or else of the working folder."""
        for folder in Path(package_file).resolve().parents[:3]:
            if (folder / "pyproject.toml").is_file():
                return cls(folder)
        return cls(Path.cwd())

    @cached_property
    def _file(self) -> dict[str, str | None]:
        return dotenv_values(self.folder / ".env", interpolate=False)

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        """The variable's value."""
        return os.environ.get(name) or self._file.get(name) or default

    def require(self, name: str, example: str) -> str:
        """The variable's value; a missing one is an error that says what to add where."""
        value = self.get(name)
        if value is None:
            raise ConfigError(
                f"{name} is not set",
                f"Set it in the environment, or add this line to {self.folder / '.env'}:\n"
                f"  {name}={example}",
            )
        return value

    def path(self, value: str) -> Path:
        """A path from a setting; a relative one starts from the project's folder."""
        return self.folder / Path(value).expanduser()
