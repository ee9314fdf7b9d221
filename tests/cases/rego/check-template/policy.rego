package shop

message := $"all: {walk(input)}"

greeting := $"welcome, {user.name}"
