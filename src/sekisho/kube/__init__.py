"""Kubernetes as data: objects, kinds, selectors, quantities, pod specs, patches, types of admission."""
