"""Who may be talked to: rules on addresses, a resolver that pins names to them, the process that connects."""
