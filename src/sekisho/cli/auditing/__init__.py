"""The live audit, composed: policies as who judges, statuses of constraints, reports, the status page."""
