package template

violation contains {"msg": msg, "details": {}} if {
	host_network_violation(input.review.object)
	msg := sprintf("The specified hostNetwork and hostPort are not allowed, pod: %v. Allowed values: %v", [input.review.object.metadata.name, input.parameters])
}

host_network_violation(o) if {
	not input.parameters.hostNetwork
	o.spec.hostNetwork
}

host_network_violation(_) if {
	host_port := input_containers[_].ports[_].hostPort
	host_port < input.parameters.min
}

host_network_violation(_) if {
	host_port := input_containers[_].ports[_].hostPort
	host_port > input.parameters.max
}

input_containers contains c if c := input.review.object.spec.containers[_]

input_containers contains c if c := input.review.object.spec.initContainers[_]
