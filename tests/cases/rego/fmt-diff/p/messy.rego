package b
p:=1 # one