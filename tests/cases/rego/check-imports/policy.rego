package shop

import data.kubernetes.images
import data.shop.images

allow if images.trusted
