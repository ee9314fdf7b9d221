package template

violation contains {"msg": msg} if {
	container := input_containers[_]
	tags := [tag_with_prefix | tag := input.parameters.tags[_]; tag_with_prefix := concat(":", ["", tag])]
	strings.any_suffix_match(container.image, tags)
	msg := sprintf("container <%v> uses a disallowed tag <%v>; disallowed tags are %v", [container.name, container.image, input.parameters.tags])
}

violation contains {"msg": msg} if {
	container := input_containers[_]
	tag := [contains(container.image, ":")]
	not all_true(tag)
	msg := sprintf("container <%v> didn't specify an image tag <%v>", [container.name, container.image])
}

all_true(values) if {
	every value in values {
		value == true
	}
}

input_containers contains c if c := input.review.object.spec.containers[_]

input_containers contains c if c := input.review.object.spec.initContainers[_]
