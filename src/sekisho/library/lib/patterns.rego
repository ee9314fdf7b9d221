package lib.patterns

# Whether a text is what a pattern says: the same, or, for a pattern that ends in *, what begins like it.
matches(text, pattern) if text == pattern

matches(text, pattern) if {
	endswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
}
