package lib.bytes

# Thousandths of a byte: 1000000, "1M", "1Mi", and "500m", which Kubernetes takes. Undefined for what is no size.
of(amount) := amount * 1000 if is_number(amount)

of(amount) := to_number(digits) * units[unit] if {
	[[_, digits, unit]] := regex.find_all_string_submatch_n(`^([0-9]+(?:[.][0-9]+)?)([a-zA-Z]*)$`, amount, -1)
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
