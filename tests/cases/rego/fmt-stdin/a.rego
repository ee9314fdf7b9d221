# top
package a # pkg trailing

# about imports
import data.z # zed
import data.b
import rego.v1

import data.c as d
# rule comment
p := [ # open
	1, # one
	# before two
	2, 3,
	4 # four
	# last
] # close

q if { # head
	# first

	x := 1 # tr
	y := 2; z := 3


	# gap
	f(x,
	   y) # call
	not x == 1 # neg
	some i, j
	some k in [1,2]
	every m in [1] { m == 1 }
	every m in [1] {
		m == 1 # body
	}
	z with input as 1
	z with input as 1
	  with data.x as 2
	{a | a := 1; b := 2}
	{a |
	a := 1; b := 2
	# c
	}
	{a: b |
	a := 1 # foo
	b := 2 }
	a + b * c - d
	(a + b) * c
	-x
	-1
	foo.bar["baz"]["a b"][_]
	`raw` == "x\u0041"
	$"foo {x} bar"
	# end of body
} # after

p if { true }
p if true
f(_, [x]) := x + 1
f(x) if x > 1 else := 2 if { x == 3 } else := 3
r if {
	x
}
# comment before else
else := 3 if {
	y
}
a.b := 1
s contains 1
s contains x if some x in [1]
default p = false
t := {"a": 1, "b": {
   "c": 2}}
u := {"a": 1,
  "b": 2 }
u := f(
 # comment
 x)
v if x == # mid
   3
w if { x; 
 y }
v if
 # foo
 x

# trailing comment

# last
