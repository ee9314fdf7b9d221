"""The manifests of the guard for a real cluster, and how they come there."""
