// Command orders runs examples/aws-orders, a shop whose events go through buses, with
// each of the clients that it is written for: boto3, the AWS CLI and aws-sdk-go-v2.
//
//	go run ./test/orders                        on one node
//	go run ./test/orders -nodes 3               on three: each part of it at another one
//	go run ./test/orders -kill 3                a node is killed so often between put and take
//	go run ./test/orders -only boto3,aws-cli,aws-go
//
// It installs boto3 and the CLI into a folder of the user's cache. The example says
// what it sees and ends with an error at the first thing that is not as it should be;
// so does this.
//
// Files in reading order: main.go (a run), clients.go (the programs).
package main
