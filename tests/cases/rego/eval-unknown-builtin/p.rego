package p

x := json.parse(input.text)
