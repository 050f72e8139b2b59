package scheduler

import (
	"context"

	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

const active = "ACTIVE"

type createGroupIn struct {
	Tags        []constraint.Tag `json:"Tags"`
	ClientToken string           `json:"ClientToken"`
}

type groupArnOut struct {
	Arn string `json:"ScheduleGroupArn"`
}

func groupOf(c *protocol.Call) schedule.GroupRef {
	return schedule.GroupRef{Account: c.Account, Region: c.Region, Name: c.Name}
}

func (d door) createGroup(ctx context.Context, c *protocol.Call, in *createGroupIn) (*groupArnOut, error) {
	var b broken
	b.name("name", c.Name)
	b.token(in.ClientToken)
	b.Tags("tags", in.Tags, 1)
	if err := b.Err(); err != nil {
		return nil, err
	}
	g, err := d.schedules.CreateGroupOnce(ctx, groupOf(c), constraint.TagMap(in.Tags), in.ClientToken)
	if err != nil {
		return nil, refuse("Schedule group "+c.Name, err)
	}
	return &groupArnOut{g.ARN()}, nil
}

// group is a group as it is told.
type group struct {
	Arn      string `json:"Arn"`
	Name     string `json:"Name"`
	State    string `json:"State"`
	Created  moment `json:"CreationDate"`
	Modified moment `json:"LastModificationDate"`
}

// showGroup tells a group. The default one is there since ever; it is told with
// the first second of 1970.
func showGroup(g schedule.Group) group {
	out := group{Arn: g.ARN(), Name: g.Full().Name, State: active}
	if !g.Created.IsZero() {
		out.Created, out.Modified = moment(g.Created.UnixMilli()), moment(g.Modified.UnixMilli())
	}
	return out
}

func (d door) getGroup(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*group, error) {
	if err := checkPath(c); err != nil {
		return nil, err
	}
	g, err := d.schedules.Group(ctx, groupOf(c))
	if err != nil {
		return nil, refuse("Schedule group "+c.Name, err)
	}
	out := showGroup(g)
	return &out, nil
}

func (d door) removeGroup(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*protocol.Nothing, error) {
	if err := checkPath(c); err != nil {
		return nil, err
	}
	if c.Name == schedule.DefaultGroup {
		return nil, validation("The default schedule group cannot be deleted.")
	}
	return nil, refuse("Schedule group "+c.Name, d.schedules.DeleteGroupOnce(ctx, groupOf(c), c.Query.Get("clientToken")))
}

type listGroupsOut struct {
	Groups    []group `json:"ScheduleGroups"`
	NextToken string  `json:"NextToken,omitempty"`
}

func (d door) listGroups(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*listGroupsOut, error) {
	most, after, err := page(c)
	if err != nil {
		return nil, err
	}
	found, next, err := d.schedules.Groups(ctx, schedule.GroupRef{Account: c.Account, Region: c.Region, Name: c.Query.Get("NamePrefix")}, after, most)
	if err != nil {
		return nil, refuse("", err)
	}
	out := &listGroupsOut{Groups: []group{}, NextToken: token(next)}
	for _, g := range found {
		out.Groups = append(out.Groups, showGroup(g))
	}
	return out, nil
}
