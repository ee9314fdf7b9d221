"""Drives the embedded API with real kubectl binaries, command by command."""
