package lib.quantity

# An amount of a resource, in thousandths of its unit. Undefined for what is no amount.
of("cpu", amount) := cpu(amount)

of("memory", amount) := size(amount)

of("ephemeral-storage", amount) := size(amount)

# Whether nothing is said of a resource.
missing(amounts, resource) if not amounts[resource]

missing(amounts, resource) if amounts[resource] == ""

# Thousandths of a core: 1, "1", "0.5" and "500m".
cpu(amount) := amount * 1000 if is_number(amount)

cpu(amount) := to_number(digits) * factor if {
	[[_, digits, unit]] := regex.find_all_string_submatch_n(`^([0-9]+(?:[.][0-9]+)?)(m?)$`, amount, 1)
	factor := {"": 1000, "m": 1}[unit]
}

# Thousandths of a byte: 1000000, "1M", "1Mi", and "500m", which Kubernetes takes.
size(amount) := amount * 1000 if is_number(amount)

size(amount) := to_number(digits) * units[unit] if {
	[[_, digits, unit]] := regex.find_all_string_submatch_n(`^([0-9]+(?:[.][0-9]+)?)([a-zA-Z]*)$`, amount, 1)
}

units := {
	"m": 1,
	"": 1000,
	"k": 1000000,
	"M": 1000000000,
	"G": 1000000000000,
	"T": 1000000000000000,
	"P": 1000000000000000000,
	"E": 1000000000000000000000,
	"Ki": 1024000,
	"Mi": 1048576000,
	"Gi": 1073741824000,
	"Ti": 1099511627776000,
	"Pi": 1125899906842624000,
	"Ei": 1152921504606846976000,
}
