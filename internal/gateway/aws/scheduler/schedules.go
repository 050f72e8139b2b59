package scheduler

import (
	"context"
	"errors"

	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/protocol"
)

// refOf is the schedule of a path, in a group.
func refOf(c *protocol.Call, group string) schedule.Ref {
	if group == "" {
		group = schedule.DefaultGroup
	}
	return schedule.Ref{Account: c.Account, Region: c.Region, Group: group, Name: c.Name}
}

type arnOut struct {
	Arn string `json:"ScheduleArn"`
}

func (d door) create(ctx context.Context, c *protocol.Call, in *written) (*arnOut, error) {
	ref := refOf(c, in.Group)
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	if _, err := d.schedules.Group(ctx, schedule.GroupRef{Account: c.Account, Region: c.Region, Name: ref.Group}); err != nil {
		return nil, refuse("Schedule group "+ref.Group, err)
	}
	_, err = d.schedules.Create(ctx, ref, spec)
	if errors.Is(err, schedule.ErrExists) && d.madeBy(ctx, ref, in.ClientToken) {
		err = nil
	}
	if err != nil {
		return nil, refuse("Schedule "+c.Name, err)
	}
	return &arnOut{ref.ARN()}, nil
}

// madeBy tells whether a schedule was made by the request of a token, which
// asks again because it did not get its answer.
func (d door) madeBy(ctx context.Context, ref schedule.Ref, token string) bool {
	if token == "" {
		return false
	}
	s, err := d.schedules.Get(ctx, ref)
	return err == nil && extraOf(s.Spec).ClientToken == token
}

func (d door) update(ctx context.Context, c *protocol.Call, in *written) (*arnOut, error) {
	ref := refOf(c, in.Group)
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	if _, err := d.schedules.Update(ctx, ref, spec); err != nil {
		return nil, refuse("Schedule "+c.Name, err)
	}
	return &arnOut{ref.ARN()}, nil
}

func (d door) get(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*shown, error) {
	s, err := d.schedules.Get(ctx, refOf(c, c.Query.Get("groupName")))
	if err != nil {
		return nil, refuse("Schedule "+c.Name, err)
	}
	return show(s), nil
}

func (d door) remove(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*protocol.Nothing, error) {
	return nil, refuse("Schedule "+c.Name, d.schedules.Delete(ctx, refOf(c, c.Query.Get("groupName"))))
}
