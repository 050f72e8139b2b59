// Command aws-orders is a shop's events, with aws-sdk-go-v2 and nothing else of ours.
//
//	go run .                        everything, from nothing
//	go run . clean|setup|put|take   one part of it
//
// Where the services are comes from AWS_ENDPOINT_URL, as always with the SDK. README.md
// tells the story; orders.py and orders.sh are the same with boto3 and the AWS CLI.
//
// It is no test of ours: test/orders runs it.
//
// Files in reading order: orders.go (clients, and how it says what it saw), setup.go,
// take.go, receiver.go (the addresses that are called).
package main
