package lib.containers

# The lists of containers that a pod has, and what messages call a container of each.
nouns := {
	"containers": "container",
	"initContainers": "initContainer",
	"ephemeralContainers": "ephemeralContainer",
}
