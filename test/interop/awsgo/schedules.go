package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

func schedules(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "scheduled", nil)
	if err != nil {
		return err
	}
	arn, err := w.arn(ctx, url)
	if err != nil {
		return err
	}
	c := w.scheduler()
	name := aws.String(w.prefix + "-once")
	in := &scheduler.CreateScheduleInput{
		Name: name, ScheduleExpression: aws.String(time.Now().UTC().Add(2 * time.Second).Format("at(2006-01-02T15:04:05)")),
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target:             &types.Target{Arn: &arn, RoleArn: aws.String("arn:aws:iam::123456789012:role/any"), Input: aws.String("run")},
	}
	if _, err := c.CreateSchedule(ctx, in); err != nil {
		return err
	}
	got, err := c.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: name})
	if err != nil {
		return err
	}
	run, err := w.take(ctx, url, 1)
	if err != nil {
		return err
	}
	if _, err := c.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: name}); err != nil {
		return err
	}
	_, gone := c.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: name})
	return errors.Join(
		want("the expression", *got.ScheduleExpression, *in.ScheduleExpression),
		want("the run", *run[0].Body, "run"),
		w.done(ctx, url, run[0]),
		refused("ResourceNotFoundException", gone),
	)
}
