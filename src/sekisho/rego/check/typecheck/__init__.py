"""The type checker: OPA's inference and checks over ordered rules."""
