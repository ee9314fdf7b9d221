"""kubeconfigs, ours beside the real kubectl's reading of them."""
