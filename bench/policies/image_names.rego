package template

violation contains {"msg": msg} if {
	some kind in ["containers", "initContainers"]
	some index, c in input.review.object.spec[kind]
	not regex.match(input.parameters.pattern, c.image)
	msg := sprintf("%v[%d] uses an image <%v> that does not match %v", [kind, index, c.image, input.parameters.pattern])
}
