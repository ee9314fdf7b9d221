package shop

allow if {
	input := {"user": "eve"}
	input.user == "alice"
}
