"""The Sentry: answers the system calls of the programs in one sandbox."""
