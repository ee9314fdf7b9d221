"""The guard of an embedded cluster: policies of its API, and of folders and bundles, judge its writes."""
