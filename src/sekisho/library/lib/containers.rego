package lib.containers

# The lists of containers that a pod has, and what messages call a container of each.
nouns := {
	"containers": "container",
	"initContainers": "initContainer",
	"ephemeralContainers": "ephemeralContainer",
}

# All containers of the pod under review.
all contains container if {
	some list, _ in nouns
	some container in input.review.object.spec[list]
}
