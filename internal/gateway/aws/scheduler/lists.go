package scheduler

import (
	"context"
	"strconv"
	"strings"

	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/protocol"
)

const maxPage = 100

// page reads how long a page is and behind what it begins.
func page(c *protocol.Call) (most int, after string, err error) {
	most = maxPage
	var b broken
	if text := c.Query.Get("MaxResults"); text != "" {
		if most, err = strconv.Atoi(text); err != nil {
			return 0, "", validation("MaxResults is %.32q: a whole number is wanted.", text)
		}
		b.Number("maxResults", int64(most), 1, maxPage)
	}
	if text := c.Query.Get("NamePrefix"); text != "" {
		b.name("namePrefix", text)
	}
	if text := c.Query.Get("ScheduleGroup"); text != "" {
		b.name("groupName", text)
	}
	b.OneOf("state", c.Query.Get("State"), enabled, disabled)
	if err := b.Err(); err != nil {
		return 0, "", err
	}
	behind, ok := protocol.Behind(c.Query.Get("NextToken"))
	if !ok {
		return 0, "", validation("Invalid NextToken: it is none that was answered.")
	}
	return most, behind, nil
}

// token is where the next page begins, "" at the end.
func token(next string) string { return protocol.Token(next) }

type summary struct {
	Arn      string        `json:"Arn"`
	Name     string        `json:"Name"`
	Group    string        `json:"GroupName"`
	State    string        `json:"State"`
	Target   targetSummary `json:"Target"`
	Created  moment        `json:"CreationDate"`
	Modified moment        `json:"LastModificationDate"`
}

type targetSummary struct {
	Arn string `json:"Arn"`
}

type listOut struct {
	Schedules []summary `json:"Schedules"`
	NextToken string    `json:"NextToken,omitempty"`
}

func (d door) list(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*listOut, error) {
	most, after, err := page(c)
	if err != nil {
		return nil, err
	}
	group, prefix, wanted := c.Query.Get("ScheduleGroup"), c.Query.Get("NamePrefix"), c.Query.Get("State")
	o := schedule.ListOptions{Account: c.Account, Region: c.Region, Group: group, After: after, Most: most}
	if group != "" {
		o.Prefix = prefix
		if _, err := d.schedules.Group(ctx, schedule.GroupRef{Account: c.Account, Region: c.Region, Name: group}); err != nil {
			return nil, refuse("Schedule group "+group, err)
		}
	}
	out := &listOut{Schedules: []summary{}}
	for {
		found, next, err := d.schedules.List(ctx, o)
		if err != nil {
			return nil, refuse("", err)
		}
		for _, s := range found {
			if (wanted == "" || state(s) == wanted) && strings.HasPrefix(s.Name, prefix) {
				out.Schedules = append(out.Schedules, summarise(s))
			}
		}
		// A page may be shorter than asked for, as AWS's may; it is not empty
		// while there is more.
		if next == "" || len(out.Schedules) > 0 {
			out.NextToken = token(next)
			return out, nil
		}
		o.After = next
	}
}

func summarise(s schedule.Schedule) summary {
	full := show(s)
	return summary{full.Arn, full.Name, full.Group, full.State, targetSummary{full.Target.Arn}, full.Created, full.Modified}
}
