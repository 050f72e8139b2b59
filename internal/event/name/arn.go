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
	{Archive, "events", "archive/"},
	{Replay, "events", "replay/"},
	{Connection, "events", "connection/"},
	{Destination, "events", "api-destination/"},
	{Subscription, "sns", ""},
	{SNS, "sns", ""},
	{Function, "lambda", "function:"},
	{Mapping, "lambda", "event-source-mapping:"},
	{Topic, "kafka", "topic/ottla/"},
}

// ARN is the object's Amazon Resource Name, "" for kinds that have none. AWS's
// end with "/" and the object's id where it is a connection or an API destination;
// that stands behind this.
func (r Ref) ARN() string {
	for _, f := range forms {
		if f.kind == r.Kind {
			own := r.Name
			switch owner, of, _ := Split(own); {
			case r.Kind == Subscription:
				own = owner + ":" + of
			case r.Kind == Rule && owner == "default": // as AWS writes it
				own = of
			}
			return "arn:aws:" + f.service + ":" + r.Region + ":" + r.Account + ":" + f.prefix + own
		}
	}
	return ""
}

// ownName is an object's name as its ARN has it behind the prefix; false where the
// ARN is another kind's.
func ownName(kind Kind, rest string) (string, bool) {
	switch kind {
	case Rule:
		if !strings.Contains(rest, "/") {
			return "default/" + rest, true
		}
	case Connection, Destination: // the object's id stands behind
		rest, _, _ = strings.Cut(rest, "/")
	case Function: // a version or an alias stands behind
		rest, _, _ = strings.Cut(rest, ":")
	case SNS:
		return rest, !strings.Contains(rest, ":")
	case Subscription:
		topic, id, ok := strings.Cut(rest, ":")
		return topic + "/" + id, ok
	}
	return rest, true
}

// ParseARN is the inverse of ARN. Any partition (aws, aws-cn, …) is taken. The
// rule of the default bus may stand without the bus; an id, version or alias behind
// the name is left out.
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
		own, ok := ownName(f.kind, rest)
		if !ok {
			continue
		}
		r := Ref{Kind: f.kind, Account: p[4], Region: p[3], Name: own}
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
