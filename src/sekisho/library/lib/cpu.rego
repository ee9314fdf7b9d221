package lib.cpu

# Thousandths of a core: 1, "1", "0.5" and "500m". Undefined for what is no amount of CPU.
of(amount) := amount * 1000 if is_number(amount)

of(amount) := to_number(digits) * factor if {
	[[_, digits, unit]] := regex.find_all_string_submatch_n(`^([0-9]+(?:[.][0-9]+)?)(m?)$`, amount, -1)
	factor := {"": 1000, "m": 1}[unit]
}
