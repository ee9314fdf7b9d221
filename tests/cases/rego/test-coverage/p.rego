package p

default allow := false

allow if {
	some role in input.roles
	grants[role].all
}

allow if {
	input.user == "root"
	not input.locked
}

grants := {"admin": {"all": true}}

names contains upper(x) if {
	some x in input.names
	count([y |
		y := input.names[_]
		y == x
	]) == 1
}

f(x) := y if {
	x > 1
	y := x * 2
} else := 3 if {
	x == 7
} else := 5

unused := 1
