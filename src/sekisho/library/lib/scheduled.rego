package lib.scheduled

import data.lib.exempt

# The containers that a pod is scheduled with, but for those that the constraint leaves out. Ephemeral containers
# come later, and have neither resources nor probes.
containers contains container if {
	some list in ["containers", "initContainers"]
	some container in input.review.object.spec[list]
	not exempt.image(container)
}
