// Command interop lets the world's Kafka clients work against Ottla (or, to
// see that the scenarios are right, against the real Kafka).
//
//	go run ./test/interop [-against ottla|kafka] [-only go,java,… | -languages Go,Java,…]
//	    [-binary FILE] [-nodes 3] [-slow] [-write docs/clients.md]
//
// It installs the clients it needs into a folder of the user's cache, by name
// and version, with the ordinary tools of their languages; what a machine lacks
// (java, node, python3, cargo, a C++ compiler) is a failure, not a skip. It prints one table and exits
// with status 1 when any scenario failed.
//
// Clients run side by side, each lane on a broker of its own. With -nodes 3 they run
// one after the other against a broker of three nodes, with three replicas of
// everything; where a restart is asked for, one node is killed and started, or all
// are restarted in turn. Clients of the HTTP port then get one address for all
// nodes, and each of their requests goes to another one.
//
// A client is a program of ours in its own language (python/, node/, java/,
// rust/, rdkafka/, gomod/, awsgo/ and cego/ for other Go modules, and this binary again for Go and for Kafka's console tools). It is told the
// broker's address and a prefix for its topics, and speaks a protocol of lines:
// it prints "VERSION text" once, "PASS scenario" or "FAIL scenario why" for
// each scenario, and "RESTART" when it wants the broker restarted; it goes on
// working then, until "GO" comes on its standard input. It exits by itself.
//
// Reading order: main.go, clients.go (who, and what is installed for them),
// cloud.go (CloudEvents' SDKs), install.go, lanes.go, session.go (the protocol of lines), balance.go (HTTP to all nodes in turn), content.go (what every client
// writes and expects back), page.go, crowd (scenarios of all
// clients in Go), franz.go and franz_groups.go, franz_txns.go, console.go (Kafka's tools), connect*.go (Kafka
// Connect), and the
// folders of the other languages.
package main
