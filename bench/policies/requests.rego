package template

violation contains {"msg": msg} if {
	some c in input.review.object.spec.containers
	some resource in input.parameters.resources
	not c.resources.requests[resource]
	msg := sprintf("container <%v> has no %v request", [c.name, resource])
}

violation contains {"msg": msg} if {
	some c in input.review.object.spec.containers
	memory := c.resources.requests.memory
	units.parse_bytes(memory) > units.parse_bytes(input.parameters.memory)
	msg := sprintf("container <%v> requests <%v> of memory, more than <%v>", [c.name, memory, input.parameters.memory])
}
