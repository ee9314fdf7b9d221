package template

violation contains {"msg": msg, "details": {}} if {
	volume := host_volumes[_]
	bad_path(volume)
	msg := sprintf("HostPath volume %v is not allowed, pod: %v. Allowed path: %v", [volume, input.review.object.metadata.name, allowed_paths])
}

host_volumes contains v if {
	v := input.review.object.spec.volumes[_]
	has_field(v, "hostPath")
}

bad_path(_) if allowed_paths == []

bad_path(volume) if not allowed_path(volume)

allowed_path(volume) if {
	paths := allowed_paths[_]
	path_matches(paths.pathPrefix, volume.hostPath.path)
	not paths.readOnly == true
}

allowed_path(volume) if {
	paths := allowed_paths[_]
	path_matches(paths.pathPrefix, volume.hostPath.path)
	paths.readOnly
	not writeable(volume.name)
}

path_matches(prefix, path) if {
	a := path_array(prefix)
	b := path_array(path)
	prefix_matches(a, b)
}

path_array(p) := out if {
	p != "/"
	out := split(trim(p, "/"), "/")
}

path_array("/") := []

prefix_matches(a, b) if {
	count(a) <= count(b)
	not any_not_equal(a, b)
}

any_not_equal(a, b) if a[i] != b[i]

writeable(name) if {
	mount := input_containers[_].volumeMounts[_]
	mount.name == name
	not mount.readOnly
}

allowed_paths := out if {
	params := object.get(input, "parameters", {})
	out := object.get(params, "allowedHostPaths", [])
}

input_containers contains c if c := input.review.object.spec.containers[_]

input_containers contains c if c := input.review.object.spec.initContainers[_]

has_field(object, field) if object[field]
