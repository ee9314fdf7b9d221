"""Servers on the loopback that tests start and stop."""
