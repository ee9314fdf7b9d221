"""The rows, a module a family."""
