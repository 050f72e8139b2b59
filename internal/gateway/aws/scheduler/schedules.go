package scheduler

import (
	"context"
	"errors"
	"strings"
	"time"

	"ottla/internal/event/cron"
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
	if err := in.check(c); err != nil {
		return nil, err
	}
	by, err := in.maker()
	if err != nil {
		return nil, err
	}
	spec, err := in.spec(c, by)
	if err != nil {
		return nil, err
	}
	if _, err := d.schedules.Group(ctx, schedule.GroupRef{Account: c.Account, Region: c.Region, Name: ref.Group}); err != nil {
		return nil, refuse("Schedule group "+ref.Group, err)
	}
	_, err = d.schedules.Create(ctx, ref, spec)
	if errors.Is(err, schedule.ErrComplete) || errors.Is(err, schedule.ErrExists) && d.madeBy(ctx, ref, by) {
		err = nil
	}
	if err != nil {
		return nil, refuseSpec(c, in, err)
	}
	return &arnOut{ref.ARN()}, nil
}

// madeBy tells whether a schedule was made by the same request, which asks again
// because it did not get its answer.
func (d door) madeBy(ctx context.Context, ref schedule.Ref, by maker) bool {
	if by.ClientToken == "" {
		return false
	}
	s, err := d.schedules.Get(ctx, ref)
	return err == nil && extraOf(s.Spec).maker == by
}

// refuseSpec is refuse for what was written of a schedule. An expression is
// refused in AWS's words, and then the reason is told.
func refuseSpec(c *protocol.Call, in *written, err error) error {
	var field *schedule.InvalidError
	if errors.As(err, &field) && field.Field == "expression" {
		return badExpression(in.Expression, field.Why)
	}
	return refuse("Schedule "+c.Name, err)
}

// badExpression refuses an expression in AWS's words, and then tells the reason.
func badExpression(text, why string) error {
	return validation("Invalid Schedule Expression %s. (%s)", text, strings.TrimPrefix(why, text+": "))
}

// readExpression refuses forms that AWS does not have. The zone does not count.
func readExpression(text string) (*cron.Expression, error) {
	if strings.TrimSpace(text) != text || strings.Contains(text, "( ") || strings.Contains(text, " )") {
		return nil, badExpression(text, "spaces are between its fields only")
	}
	e, err := cron.ParseAWS(text, time.UTC)
	if err != nil {
		return nil, badExpression(text, err.Error())
	}
	return e, nil
}

func (d door) update(ctx context.Context, c *protocol.Call, in *written) (*arnOut, error) {
	ref := refOf(c, in.Group)
	if err := in.check(c); err != nil {
		return nil, err
	}
	old, err := d.schedules.Get(ctx, ref)
	if err != nil {
		return nil, refuse("Schedule "+c.Name, err)
	}
	spec, err := in.spec(c, extraOf(old.Spec).maker)
	if err != nil {
		return nil, err
	}
	if _, err := d.schedules.Update(ctx, ref, spec); err != nil {
		return nil, refuseSpec(c, in, err)
	}
	return &arnOut{ref.ARN()}, nil
}

func (d door) get(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*shown, error) {
	if err := checkPath(c); err != nil {
		return nil, err
	}
	s, err := d.schedules.Get(ctx, refOf(c, c.Query.Get("groupName")))
	if err != nil {
		return nil, refuse("Schedule "+c.Name, err)
	}
	return show(s), nil
}

func (d door) remove(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*protocol.Nothing, error) {
	if err := checkPath(c); err != nil {
		return nil, err
	}
	ref := refOf(c, c.Query.Get("groupName"))
	return nil, refuse("Schedule "+c.Name, d.schedules.DeleteOnce(ctx, ref, c.Query.Get("clientToken")))
}
