package main

// shared is what a client of share groups (KIP-932) has to show.
var shared = []string{"share", "share-again", "share-restart", "share-admin"}

// shareClients are clients that share records.
func shareClients() []client {
	return []client{{name: "share-java-4.4.0", language: "Java", scenarios: shared, command: java("4.4.0", "Shares")}}
}
