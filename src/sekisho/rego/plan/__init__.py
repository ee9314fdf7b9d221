"""From checked rules to a small intermediate form."""
