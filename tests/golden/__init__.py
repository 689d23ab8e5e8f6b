"""Golden projects: a spec, and the project that it must become. Every folder with a spec is a case."""
