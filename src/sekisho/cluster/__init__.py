"""The client of a Kubernetes API."""
