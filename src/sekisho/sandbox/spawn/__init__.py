"""Makes a sandbox: its namespaces, its tree, its Sentry, and the workload in it."""
