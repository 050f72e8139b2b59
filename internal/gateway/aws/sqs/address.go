package sqs

import (
	"net/url"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// queueURL is where the caller finds a queue.
func queueURL(c *protocol.Call, ref queue.Ref) string {
	return c.Base + "/" + ref.Account + "/" + ref.Name
}

// refOf reads a queue's URL. Old SDKs send the request to the URL and may name
// it nowhere else.
func refOf(c *protocol.Call, address string) (queue.Ref, error) {
	path := c.Path
	if address != "" {
		u, err := url.Parse(address)
		if err != nil {
			return queue.Ref{}, badAddress(address)
		}
		path = u.Path
	} else if path == "" || path == "/" {
		return queue.Ref{}, missing("QueueUrl")
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) < 2 {
		if address != "" && len(parts) == 1 && name.Check(name.Queue, parts[0]) == nil {
			return queue.Ref{Account: c.Account, Region: c.Region, Name: parts[0]}, nil // the name alone, as the CLI's users give it
		}
		return queue.Ref{}, badAddress(address)
	}
	return queue.Ref{Account: parts[len(parts)-2], Region: c.Region, Name: parts[len(parts)-1]}, nil
}

func badAddress(address string) *protocol.Error {
	return protocol.Errorf("InvalidAddress", "The address %s is not valid for this endpoint.", address)
}

// fromARN reads a queue's ARN.
func fromARN(arn string) (queue.Ref, error) {
	r, err := name.ParseARN(arn)
	if err != nil {
		return queue.Ref{}, err
	}
	if r.Kind != name.Queue {
		return queue.Ref{}, badParameter("%s is not the ARN of a queue.", arn)
	}
	return queue.RefOf(r), nil
}
