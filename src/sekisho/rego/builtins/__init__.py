"""The built-in functions of Rego, a family a module."""
