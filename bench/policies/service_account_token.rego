package template

violation contains {"msg": msg} if {
	spec := input.review.object.spec
	object.get(spec, "automountServiceAccountToken", true) != false
	mounted(spec)
	msg := sprintf("Pod <%v> mounts the token of <%v>", [input.review.object.metadata.name, spec.serviceAccountName])
}

mounted(spec) if not spec.volumes

mounted(spec) if {
	every volume in spec.volumes {
		not volume.projected
	}
}
