package known

// Lines are the differences in what Kafka's tools print.
var Lines = []Difference{}
