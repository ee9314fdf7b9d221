"""``sekisho-runtime``: an OCI runtime whose containers are sandboxes.

Nothing is imported here: start-up is the product.
"""
