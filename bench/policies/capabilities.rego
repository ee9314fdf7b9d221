package template

violation contains {"msg": msg} if {
	container := input_containers[_]
	has_disallowed(container)
	msg := sprintf("container <%v> has a disallowed capability. Allowed capabilities are %v", [container.name, get_default(input.parameters, "allowedCapabilities", "NONE")])
}

violation contains {"msg": msg} if {
	container := input_containers[_]
	missing_drop(container)
	msg := sprintf("container <%v> is not dropping all required capabilities. Container must drop all of %v or \"ALL\"", [container.name, input.parameters.requiredDropCapabilities])
}

input_containers contains c if c := input.review.object.spec.containers[_]

input_containers contains c if c := input.review.object.spec.initContainers[_]

has_disallowed(container) if {
	allowed := {c | x := input.parameters.allowedCapabilities[_]; c := lower(x)}
	not allowed["*"]
	capabilities := {c | x := container.securityContext.capabilities.add[_]; c := lower(x)}
	count(capabilities - allowed) > 0
}

missing_drop(container) if {
	must_drop := {c | x := input.parameters.requiredDropCapabilities[_]; c := lower(x)}
	all := {"all"}
	dropped := {c | x := container.securityContext.capabilities.drop[_]; c := lower(x)}
	count(must_drop - dropped) > 0
	count(all - dropped) > 0
}

get_default(obj, param, _) := out if {
	out := obj[param]
}

get_default(obj, param, _default) := out if {
	not obj[param]
	not obj[param] == false
	out := _default
}
