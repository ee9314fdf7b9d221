"""The command line's part of admission policies: rules and type warnings of a check, and ``policy vap``."""
