package events

import (
	"strings"
	"time"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

// Patterns of names, as the service's model has them.
var (
	anyName      = constraint.MustPattern(`[\.\-_A-Za-z0-9]+`)
	busName      = constraint.MustPattern(`[/\.\-_A-Za-z0-9]+`)
	busNameOrARN = constraint.MustPattern(`(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+`)
	headerKey    = constraint.MustPattern("[!#$%&'*+-.^_`|~0-9a-zA-Z]+")
	statementID  = constraint.MustPattern(`[a-zA-Z0-9-_]+`)
)

// Bounds of the service's model.
const (
	maxName        = 64
	maxBusName     = 256
	maxArchiveName = 48
	maxARN         = 1600
	maxPattern     = 4096
	maxDescription = 512
	maxExpression  = 256
	maxPage        = 100
)

// broken are constraints of the service's model that a request does not keep.
type broken struct{ constraint.Broken }

// name is of a name that a request must have.
func (b *broken) name(member, value string) { b.named(member, value, maxName, anyName) }

func (b *broken) named(member, value string, most int, p constraint.Pattern) {
	if value == "" {
		b.Null(member)
		return
	}
	b.Fits(member, value, p)
	b.Length(member, value, 1, most)
}

// optional is of a name that may be left out.
func (b *broken) optional(member, value string, most int, p constraint.Pattern) {
	if value != "" {
		b.named(member, value, most, p)
	}
}

// bus is of a bus by its name or ARN; without either it is the default one.
func (b *broken) bus(value string) { b.optional("eventBusName", value, maxARN, busNameOrARN) }

func (b *broken) arn(member, value string) {
	if value == "" {
		b.Null(member)
		return
	}
	b.Length(member, value, 1, maxARN)
}

// busOf is the bus that a request names, by name or ARN.
func busOf(c *protocol.Call, nameOrARN string) (bus.Ref, error) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return bus.Ref{Account: c.Account, Region: c.Region, Name: nameOrARN}.Filled(), nil
	}
	ref, err := name.ParseARN(nameOrARN)
	if err != nil || ref.Kind != name.Bus {
		return bus.Ref{}, invalid("Parameter EventBusName is not valid. Reason: %s is no ARN of an event bus.", nameOrARN)
	}
	return bus.RefOf(ref), nil
}

// named is an archive or a replay of the caller's account and region.
func named(c *protocol.Call, own string) bus.NamedRef {
	return bus.NamedRef{Account: c.Account, Region: c.Region, Name: own}
}

// hasSlash tells names of partners' buses from others.
func hasSlash(called string) bool { return strings.Contains(called, "/") }

// queueARN refuses what is no queue's ARN; "" is none at all.
func queueARN(parameter, arn string) error {
	if arn == "" {
		return nil
	}
	if r, err := name.ParseARN(arn); err != nil || r.Kind != name.Queue {
		return invalid("Parameter %s is not valid. Reason: %s is no queue's ARN.", parameter, arn)
	}
	return nil
}

// arnOfQueue is the ARN of a queue that an object names, perhaps by its name alone.
func arnOfQueue(of name.Ref, queue string) string {
	if strings.HasPrefix(queue, "arn:") {
		return queue
	}
	return name.Ref{Kind: name.Queue, Account: of.Account, Region: of.Region, Name: strings.TrimPrefix(queue, "queue:")}.ARN()
}

// kinds are the words of native targets.
var kinds = map[string]name.Kind{
	"queue": name.Queue, "topic": name.Topic, "bus": name.Bus, "sns": name.SNS, "destination": name.Destination, "function": name.Function,
}

// arnOfTarget is the ARN of a target that was put at another door; an address is as
// it is.
func arnOfTarget(r bus.Rule, to string) string {
	word, own, _ := strings.Cut(to, ":")
	kind, ok := kinds[word]
	switch {
	case !ok:
		return to
	case strings.HasPrefix(own, "arn:"):
		return own
	}
	of := r.Full()
	return name.Ref{Kind: kind, Account: of.Account, Region: of.Region, Name: own}.ARN()
}

// moment is a time on the wire.
func moment(t time.Time) *protocol.Moment {
	m := protocol.Moment(t.UnixMilli())
	return &m
}
