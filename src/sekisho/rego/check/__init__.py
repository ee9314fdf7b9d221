"""The checks between parser and planner: names, safety, recursion, types."""
