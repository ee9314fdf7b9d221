package template

violation contains {"msg": msg, "details": {}} if {
	c := input_containers[_]
	not is_exempt(c)
	c.securityContext.privileged
	msg := sprintf("Privileged container is not allowed: %v, securityContext: %v", [c.name, c.securityContext])
}

input_containers contains c if c := input.review.object.spec.containers[_]

input_containers contains c if c := input.review.object.spec.initContainers[_]

input_containers contains c if c := input.review.object.spec.ephemeralContainers[_]

is_exempt(container) if {
	exempt_images := object.get(object.get(input, "parameters", {}), "exemptImages", [])
	img := container.image
	exemption := exempt_images[_]
	_matches_exemption(img, exemption)
}

_matches_exemption(img, exemption) if {
	not endswith(exemption, "*")
	exemption == img
}

_matches_exemption(img, exemption) if {
	endswith(exemption, "*")
	prefix := trim_suffix(exemption, "*")
	startswith(img, prefix)
}
