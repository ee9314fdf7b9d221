package c

import foo
