package template

violation contains {"msg": msg} if {
	some c in input.review.object.spec.containers
	limit := units.parse_bytes(c.resources.limits.memory)
	request := units.parse_bytes(c.resources.requests.memory)
	limit > request * to_number(input.parameters.ratio)
	msg := sprintf("container <%v> memory limit <%v> is higher than %v times its request <%v>", [
		c.name,
		c.resources.limits.memory,
		input.parameters.ratio,
		c.resources.requests.memory,
	])
}
