"""Authorization of images: who must have signed what before it runs."""
