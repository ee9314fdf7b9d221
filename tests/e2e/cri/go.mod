module cri

go 1.24
