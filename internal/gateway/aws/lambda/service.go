package lambda

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/protocol"
)

// Mappings is what the door asks of mappings; internal/event/mapping has it.
type Mappings interface {
	Put(ctx context.Context, ref name.Ref, spec mapping.Spec) (m mapping.Mapping, created bool, err error)
	Update(ctx context.Context, ref name.Ref, change func(*mapping.Spec) error) (mapping.Mapping, error)
	Get(ctx context.Context, ref name.Ref) (mapping.Mapping, error)
	List(ctx context.Context, prefix name.Ref, after string, most int) (all []mapping.Mapping, next string, err error)
	Delete(ctx context.Context, ref name.Ref) error
	Standing(ref name.Ref) mapping.Standing
}

// Options make the service.
type Options struct {
	Mappings Mappings
	NewID    func() string // UUIDs of mappings
}

// door answers Lambda's calls from mappings.
type door struct{ o Options }

// path is where event source mappings are.
const path = "/2015-03-31/event-source-mappings"

// Service is event source mappings on mappings.
func Service(o Options) *aws.Service {
	d := door{o}
	create := protocol.Handle("CreateEventSourceMapping", "sources are queues of SQS, and topics of this cluster: arn:aws:kafka:…:topic/ottla/NAME, or Topics beside SelfManagedEventSource or the ARN of a cluster, which mean nothing else; what is destined for failures is a queue; bodies, keys and values that are objects or lists of JSON are that in filters, others are texts; tags, tumbling windows and schema registries are refused", d.create)
	get := protocol.Handle("GetEventSourceMapping", "LastProcessingResult is known at the node that calls the function", d.get)
	update := protocol.Handle("UpdateEventSourceMapping", "as CreateEventSourceMapping", d.update)
	remove := protocol.Handle("DeleteEventSourceMapping", "", d.remove)
	list := protocol.Handle("ListEventSourceMappings", "", d.list)
	s := &aws.Service{Name: "lambda", Paths: []string{path}, Ops: []protocol.Op{create, get, update, remove, list}}
	s.REST = func(r *http.Request, c *protocol.Call) (protocol.Op, *protocol.Error) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), path)
		c.Name = strings.TrimPrefix(rest, "/")
		if ok = ok && (rest == "" || rest[0] == '/'); ok && !strings.Contains(c.Name, "/") {
			switch {
			case c.Name != "" && name.Check(name.Mapping, c.Name) != nil:
				return protocol.Op{}, notFound()
			case c.Name == "" && r.Method == http.MethodPost:
				return create, nil
			case c.Name == "" && r.Method == http.MethodGet:
				return list, nil
			case c.Name != "" && r.Method == http.MethodGet:
				return get, nil
			case c.Name != "" && r.Method == http.MethodPut:
				return update, nil
			case c.Name != "" && r.Method == http.MethodDelete:
				return remove, nil
			}
		}
		e := protocol.Errorf("UnknownOperationException", "lambda has no %s %s: event source mappings are served; functions are declared in a file of the server", r.Method, r.URL.Path)
		e.Status = http.StatusNotFound
		return protocol.Op{}, e
	}
	return s
}

func invalid(format string, args ...any) error {
	return protocol.Errorf("InvalidParameterValueException", format, args...)
}

func notFound() *protocol.Error {
	return &protocol.Error{Shape: "ResourceNotFoundException", Status: http.StatusNotFound, Message: "The resource you requested does not exist."}
}

// refuse turns an error of mappings into Lambda's.
func refuse(err error) error {
	var ours *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, mapping.ErrNotFound):
		return notFound()
	case errors.Is(err, mapping.ErrConflict):
		return &protocol.Error{Shape: "ResourceConflictException", Status: http.StatusConflict, Message: "The mapping was changed by somebody else at the same moment."}
	case errors.Is(err, mapping.ErrInvalid):
		return invalid("%s", strings.TrimPrefix(err.Error(), mapping.ErrInvalid.Error()+": "))
	case errors.Is(err, mapping.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &protocol.Error{Shape: "ServiceException", Status: http.StatusServiceUnavailable, Message: "Mappings cannot be reached at the moment; try again.", Cause: err}
	}
	return &protocol.Error{Shape: "ServiceException", Status: http.StatusInternalServerError, Message: "The server could not do this; its log says why.", Cause: err}
}
