package a
import future.keywords.in
p { true }
p = 1 { true }
p[x] { x := 1 }
p[x] = 1 { x := 1 }
p[x] = true { x := 1 }
f(x) = true
f(x)
f(x) { x }
q.r.s
q.r
p = {x: 1}
p { x in y; some z in y
 input.package
 input["package"] }
p { 
 1 } { 2 }
default x = 1
default y := 1
