"""Handlers of system calls, one module a family of the table; a function has the name of its call."""
