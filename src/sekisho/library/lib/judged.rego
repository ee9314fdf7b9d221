package lib.judged

import data.lib.exempt

# All containers of the pod under review, but for those that the constraint leaves out.
containers contains container if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in input.review.object.spec[list]
	not exempt.image(container)
}
