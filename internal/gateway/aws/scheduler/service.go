package scheduler

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/protocol"
)

// Schedules is what the door asks of schedules; internal/event/schedule has it.
type Schedules interface {
	Create(ctx context.Context, ref schedule.Ref, spec schedule.Spec) (schedule.Schedule, error)
	Update(ctx context.Context, ref schedule.Ref, spec schedule.Spec) (schedule.Schedule, error)
	Get(ctx context.Context, ref schedule.Ref) (schedule.Schedule, error)
	DeleteOnce(ctx context.Context, ref schedule.Ref, token string) error
	List(ctx context.Context, o schedule.ListOptions) (out []schedule.Schedule, next string, err error)

	CreateGroupOnce(ctx context.Context, ref schedule.GroupRef, tags map[string]string, token string) (schedule.Group, error)
	Group(ctx context.Context, ref schedule.GroupRef) (schedule.Group, error)
	Groups(ctx context.Context, prefix schedule.GroupRef, after string, most int) (out []schedule.Group, next string, err error)
	SetGroupTags(ctx context.Context, ref schedule.GroupRef, change func(tags map[string]string)) (schedule.Group, error)
	DeleteGroupOnce(ctx context.Context, ref schedule.GroupRef, token string) error
}

// door answers Scheduler's calls from schedules.
type door struct{ schedules Schedules }

// route is one operation's method and path; a path that ends in a slash has a
// name behind it.
type route struct {
	method, path string
	op           protocol.Op
}

// Service is Scheduler on schedules.
func Service(schedules Schedules) *aws.Service {
	routes := door{schedules}.routes()
	s := &aws.Service{Name: "scheduler", Paths: []string{"/schedules", "/schedule-groups", "/tags/arn:aws:scheduler:"}}
	for _, r := range routes {
		s.Ops = append(s.Ops, r.op)
	}
	s.REST = func(r *http.Request, c *protocol.Call) (protocol.Op, *protocol.Error) { return find(routes, r, c) }
	return s
}

func (d door) routes() []route {
	return []route{
		{"POST", "/schedules/", protocol.Handle("CreateSchedule", "targets are queues, SNS topics, event buses, functions (that the server's file names), topics (arn:aws:kafka:…:topic/ottla/NAME) and addresses (https://…); RoleArn is kept and means nothing", d.create)},
		{"GET", "/schedules/", protocol.Handle("GetSchedule", "", d.get)},
		{"PUT", "/schedules/", protocol.Handle("UpdateSchedule", "as CreateSchedule; asked again with its ClientToken it is done again", d.update)},
		{"DELETE", "/schedules/", protocol.Handle("DeleteSchedule", "", d.remove)},
		{"GET", "/schedules", protocol.Handle("ListSchedules", "", d.list)},
		{"POST", "/schedule-groups/", protocol.Handle("CreateScheduleGroup", "", d.createGroup)},
		{"GET", "/schedule-groups/", protocol.Handle("GetScheduleGroup", "", d.getGroup)},
		{"DELETE", "/schedule-groups/", protocol.Handle("DeleteScheduleGroup", "answered when its schedules are deleted", d.removeGroup)},
		{"GET", "/schedule-groups", protocol.Handle("ListScheduleGroups", "", d.listGroups)},
		{"GET", "/tags/", protocol.Handle("ListTagsForResource", "", d.listTags)},
		{"POST", "/tags/", protocol.Handle("TagResource", "", d.tag)},
		{"DELETE", "/tags/", protocol.Handle("UntagResource", "", d.untag)},
	}
}

// find gives the operation of a request, and its path's name to the call.
func find(routes []route, r *http.Request, c *protocol.Call) (protocol.Op, *protocol.Error) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	for _, to := range routes {
		if to.method != r.Method {
			continue
		}
		if to.path == path {
			return to.op, nil
		}
		if rest, ok := strings.CutPrefix(path, to.path); ok && strings.HasSuffix(to.path, "/") && rest != "" {
			c.Name = rest
			return to.op, nil
		}
	}
	e := protocol.Errorf("UnknownOperationException", "scheduler has no %s %s", r.Method, r.URL.Path)
	e.Status = http.StatusNotFound
	return protocol.Op{}, e
}

// refuse turns an error of schedules into Scheduler's. What is what it is about.
func refuse(what string, err error) error {
	var ours *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, schedule.ErrNotFound):
		return &protocol.Error{Shape: "ResourceNotFoundException", Status: http.StatusNotFound, Message: what + " does not exist."}
	case errors.Is(err, schedule.ErrExists):
		return &protocol.Error{Shape: "ConflictException", Status: http.StatusConflict, Message: what + " already exists."}
	case errors.Is(err, schedule.ErrConflict):
		return &protocol.Error{Shape: "ConflictException", Status: http.StatusConflict, Message: what + " was changed by somebody else at the same moment."}
	case errors.Is(err, schedule.ErrInvalid):
		return validation("%s", invalid(err))
	case errors.Is(err, schedule.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &protocol.Error{Shape: "InternalServerException", Status: http.StatusServiceUnavailable, Message: "Schedules cannot be reached at the moment; try again.", Cause: err}
	}
	return &protocol.Error{Shape: "InternalServerException", Status: http.StatusInternalServerError, Message: "The server could not do this; its log says why.", Cause: err}
}

// invalid is what is wrong with a field, by the name that it has here.
func invalid(err error) string {
	var field *schedule.InvalidError
	if !errors.As(err, &field) {
		return err.Error()
	}
	switch field.Field {
	case "zone":
		return "Invalid ScheduleExpressionTimezone: " + field.Why + "."
	case "start_ms", "end_ms":
		return "Invalid StartDate or EndDate: " + field.Why + "."
	}
	return err.Error()
}

func validation(format string, args ...any) *protocol.Error {
	return protocol.Errorf("ValidationException", format, args...)
}
