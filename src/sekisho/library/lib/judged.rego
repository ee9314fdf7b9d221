package lib.judged

import data.lib.containers
import data.lib.exempt

# All containers of the pod under review, but for those that the constraint leaves out.
containers contains container if {
	some container in containers.all
	not exempt.image(container)
}
