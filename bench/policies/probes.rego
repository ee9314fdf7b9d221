package template

probe_types := {type | type := input.parameters.probeTypes[_]}

violation contains {"msg": msg} if {
	container := input.review.object.spec.containers[_]
	probe := input.parameters.probes[_]
	probe_is_missing(container, probe)
	msg := sprintf("Container <%v> in your <%v> <%v> has no <%v>", [container.name, input.review.kind.kind, input.review.object.metadata.name, probe])
}

probe_is_missing(container, probe) if not container[probe]

probe_is_missing(container, probe) if probe_field_empty(container, probe)

probe_field_empty(container, probe) if {
	probe_fields := {field | container[probe][field]}
	diff := probe_types - probe_fields
	count(diff) == count(probe_types)
}
