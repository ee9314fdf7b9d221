"""Binary Authorization's formats: policies, attestors, patterns, and its messages."""
