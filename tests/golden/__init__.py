"""Golden projects: a spec, and the project it must become. A folder with a spec is a case."""
