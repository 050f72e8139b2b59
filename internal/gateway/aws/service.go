package aws

import (
	"net/http"

	"ottla/internal/gateway/aws/protocol"
)

// Service is one AWS service behind the door.
type Service struct {
	// Name is the signing name, as in sqs.
	Name string
	// Target is what X-Amz-Target has before the dot; "" where the service has
	// no JSON protocol.
	Target string
	JSON   protocol.JSON
	// Versions are the API versions by which unsigned calls of the query
	// protocol name the service; none where it has no query protocol.
	Versions     []string
	XMLNamespace string
	// Ops are the operations, in the order of the documentation.
	Ops []protocol.Op
	// REST finds the operation of a request by method and path, and tells it
	// what the path holds; nil where the service has no REST protocol.
	REST func(r *http.Request, c *protocol.Call) (protocol.Op, *protocol.Error)
	// Paths are the beginnings of paths of the REST protocol.
	Paths []string
	// Refused are operations of the service that there is no answer for, each
	// with the reason.
	Refused map[string]string
}

func (s *Service) op(name string) (protocol.Op, bool) {
	for i := range s.Ops {
		if s.Ops[i].Name == name {
			return s.Ops[i], true
		}
	}
	return protocol.Op{}, false
}

// unknown is the answer to an operation that is not served.
func (s *Service) unknown(name string) *protocol.Error {
	if why := s.Refused[name]; why != "" {
		e := protocol.Errorf("UnsupportedOperation", "%s of %s is not served: %s", name, s.Name, why)
		e.Code = "AWS.SimpleQueueService.UnsupportedOperation"
		if s.Name != "sqs" {
			e.Code = ""
		}
		return e
	}
	e := protocol.Errorf("UnknownOperationException", "%s has no operation %q", s.Name, name)
	e.Code = "InvalidAction"
	return e
}

// absent are services that clients of an event-driven system may well ask for,
// by target and signing name, so that they are told more than a 404.
var absent = map[string]string{
	"AWSEvents": "EventBridge", "events": "EventBridge",
	"AWSEventsV2": "EventBridge v2",
	"pipes":       "EventBridge Pipes", "schemas": "EventBridge Schemas",
	"lambda": "Lambda", "states": "Step Functions", "AWSStepFunctions": "Step Functions",
	"s3": "S3", "dynamodb": "DynamoDB", "kinesis": "Kinesis", "iam": "IAM", "logs": "CloudWatch Logs", "monitoring": "CloudWatch",
}
