package main

// served is what a client of the consumer protocol (KIP-848) has to show.
var served = []string{"group", "commit", "static", "group-restart", "group-admin", "regex", "migrate"}

// consumerClients are clients whose partitions the server assigns.
func consumerClients() []client {
	var out []client
	for _, v := range []string{"4.4.0", "4.1.0"} {
		out = append(out, client{name: "consumer-java-" + v, language: "Java", scenarios: served, command: java(v, "Consumers")})
	}
	return append(out, client{name: "consumer-confluent", language: "Python", scenarios: served, command: python("consumers.py"),
		limits: "its cooperative assignor leaves data of its own in assignments, so no broker (Kafka neither) turns a live group of it into a consumer group; `migrate` begins with its range assignor"})
}
