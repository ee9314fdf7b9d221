package template

violation contains {"msg": msg} if {
	container := containers[_]
	not allowed(container.image)
	msg := sprintf("container <%v> has an invalid image repo <%v>, allowed repos are %v", [container.name, container.image, input.parameters.repos])
}

allowed(image) if {
	repo := input.parameters.repos[_]
	startswith(image, repo)
}

containers contains c if c := input.review.object.spec.containers[_]

containers contains c if c := input.review.object.spec.initContainers[_]
