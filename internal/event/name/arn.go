package name

import (
	"fmt"
	"strings"
)

// forms are how the resources of each kind begin in ARNs, by service.
var forms = []struct {
	kind            Kind
	service, prefix string
}{
	{Queue, "sqs", ""},
	{ScheduleGroup, "scheduler", "schedule-group/"},
	{Schedule, "scheduler", "schedule/"},
	{Bus, "events", "event-bus/"},
	{Rule, "events", "rule/"},
	{Topic, "kafka", "topic/ottla/"},
}

// ARN is the object's Amazon Resource Name, "" for kinds that have none.
func (r Ref) ARN() string {
	for _, f := range forms {
		if f.kind == r.Kind {
			return "arn:aws:" + f.service + ":" + r.Region + ":" + r.Account + ":" + f.prefix + r.Name
		}
	}
	return ""
}

// ParseARN is the inverse of ARN. Any partition (aws, aws-cn, …) is taken. The
// rule of the default bus may stand without the bus.
func ParseARN(arn string) (Ref, error) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || !strings.HasPrefix(p[1], "aws") {
		return Ref{}, fmt.Errorf("%q is no ARN: want arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE", arn)
	}
	for _, f := range forms {
		rest, ok := strings.CutPrefix(p[5], f.prefix)
		if !ok || f.service != p[2] {
			continue
		}
		r := Ref{Kind: f.kind, Account: p[4], Region: p[3], Name: rest}
		if f.kind == Rule && !strings.Contains(rest, "/") {
			r.Name = "default/" + rest
		}
		if err := CheckPlace(r.Account, r.Region); err != nil {
			return Ref{}, fmt.Errorf("ARN %q: %w", arn, err)
		}
		if err := Check(r.Kind, r.Name); err != nil {
			return Ref{}, fmt.Errorf("ARN %q: %w", arn, err)
		}
		return r, nil
	}
	return Ref{}, fmt.Errorf("ARN %q names nothing that Ottla has (%s)", arn, p[2])
}
