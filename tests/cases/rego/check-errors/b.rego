package b

p := q

q := p
