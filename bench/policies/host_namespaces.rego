package template

violation contains {"msg": msg, "details": {"field": field}} if {
	some field in ["hostPID", "hostIPC", "hostNetwork"]
	input.review.object.spec[field]
	not field in object.get(input.parameters, "allowed", [])
	msg := sprintf("sharing the host namespace %v is not allowed: %v", [field, input.review.object.metadata.name])
}
