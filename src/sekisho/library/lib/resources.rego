package lib.resources

# Whether limits or requests say nothing of a resource.
missing(amounts, resource) if not amounts[resource]

missing(amounts, resource) if amounts[resource] == ""
