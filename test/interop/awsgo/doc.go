// Command awsgo is aws-sdk-go-v2 as a client of the AWS door, and franz-go beside
// it, which shows that a queue's messages are a topic's records: a module of its
// own, so that the product's go.mod does not hold the SDK. The runner builds it and
// runs `awsgo CLIENT ADDRESS PREFIX`; it speaks the runner's protocol of lines.
//
// Files: main.go (clients, what all share), queues.go, kafka.go, schedules.go.
package main
