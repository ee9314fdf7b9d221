package template

violation contains {"msg": msg} if {
	some c in input.review.object.spec.containers
	some variable in c.env
	looks_secret(variable)
	not variable.valueFrom
	msg := sprintf("container <%v> has the secret <%v> in its manifest", [c.name, variable.name])
}

looks_secret(variable) if {
	some word in input.parameters.words
	contains(upper(variable.name), word)
}
