"""The Rego language: parser, checks, compiler to Python, built-ins. It knows nothing of Kubernetes."""
