package template

violation contains {"msg": msg} if {
	fields := ["runAsUser", "runAsGroup"]
	field := fields[_]
	container := input_containers[_]
	msg := get_type_violation(field, container)
}

get_type_violation(field, container) := msg if {
	rule := input.parameters[field].rule
	rule == "MustRunAsNonRoot"
	value := get_field(field, container, input.review.object)
	value == 0
	msg := sprintf("Container %v is attempting to run as root: %v", [container.name, field])
}

get_type_violation(field, container) := msg if {
	params := input.parameters[field]
	params.rule == "MustRunAs"
	value := get_field(field, container, input.review.object)
	not is_in_range(value, params.ranges)
	msg := sprintf("Container %v is attempting to run with %v %v. Allowed %v: %v", [container.name, field, value, field, params])
}

get_field(field, container, _) := container.securityContext[field]

get_field(field, container, review) := out if {
	not has_context(container, field)
	out := review.spec.securityContext[field]
}

has_context(container, field) if container.securityContext[field]

is_in_range(value, ranges) if {
	some range in ranges
	range.min <= value
	range.max >= value
}

input_containers contains c if some c in input.review.object.spec.containers
