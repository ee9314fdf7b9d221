"""Runs code that nobody trusts, with a kernel of our own in front of the kernel.

Nothing is imported here: start-up is the product, and each edge imports what it needs.
"""
