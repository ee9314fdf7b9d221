package shop

allow if {
	seen := print(input.user)
	seen
}
