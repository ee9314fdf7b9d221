package template

violation contains {"msg": msg, "details": {}} if {
	some c in input_containers
	not c.securityContext.readOnlyRootFilesystem == true
	msg := sprintf("only read-only root filesystem container is allowed: %v", [c.name])
}

input_containers contains c if some c in input.review.object.spec.containers

input_containers contains c if some c in input.review.object.spec.initContainers
