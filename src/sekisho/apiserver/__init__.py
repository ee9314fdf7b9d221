"""A Kubernetes API server in one process, over one SQLite file."""
