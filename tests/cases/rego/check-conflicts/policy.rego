package shop

ports := 8080

ports contains 8443

price := 3

price.tea := 4
