package a

p := $"a {1
