package template

violation contains {"msg": msg, "details": {}} if {
	used := {type | some volume in input.review.object.spec.volumes; some type, _ in volume; type != "name"}
	some type in used
	not allowed(type)
	msg := sprintf("The volume type %v is not allowed, pod: %v. Allowed volume types: %v", [
		type,
		input.review.object.metadata.name,
		input.parameters.volumes,
	])
}

allowed(_) if "*" in input.parameters.volumes

allowed(type) if type in input.parameters.volumes
