"""File systems whose files the Sentry answers itself."""
