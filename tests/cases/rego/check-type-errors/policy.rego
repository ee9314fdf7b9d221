package shop

limits := {"cpu": 2, "memory": 4}

admin(user) if user.role == "admin"

allow if {
	count(input.items) == "3"
}

allow if {
	input.cpu <= limits.cpus
}

allow if {
	replicas := count(3)
	replicas > 1
}

allow if admin
