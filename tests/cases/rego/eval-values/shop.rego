package shop

default allow := false

allow if {
	input.user == "alice"
	input.method in {"GET", "HEAD"}
}

deny contains msg if {
	some container in input.containers
	not startswith(container.image, "registry.example/")
	msg := sprintf("container %q has image %v", [container.name, container.image])
}
