package shop

allow if {
	user := input.user
	user := input.account
}

allow if {
	input.user := "alice"
}

allow if {
	count := 3
	total := count(input.items)
	total > count
}

double(count(x)) := 2
