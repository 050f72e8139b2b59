package events

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ottla/internal/event/bus"
	"ottla/internal/event/connection"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/protocol"
)

// Buses is what the door asks of buses; internal/event/bus has it.
type Buses interface {
	Create(ctx context.Context, ref bus.Ref, spec bus.Spec) (bus.Bus, error)
	Get(ctx context.Context, ref bus.Ref) (bus.Bus, error)
	List(ctx context.Context, prefix bus.Ref, after string, most int) (out []bus.Bus, next string, err error)
	Update(ctx context.Context, ref bus.Ref, change func(*bus.Spec) error) (bus.Bus, error)
	Delete(ctx context.Context, ref bus.Ref, force bool) error
	Put(ctx context.Context, entries []bus.Entry) []bus.Result

	PutRule(ctx context.Context, ref bus.RuleRef, change func(*bus.RuleSpec) error) (r bus.Rule, created bool, err error)
	UpdateRule(ctx context.Context, ref bus.RuleRef, change func(*bus.RuleSpec) error) (bus.Rule, error)
	DeleteRule(ctx context.Context, ref bus.RuleRef, force bool) error
	Rule(ctx context.Context, ref bus.RuleRef) (bus.Rule, error)
	Rules(ctx context.Context, of bus.Ref, prefix, after string, most int) (out []bus.Rule, next string, err error)
	RulesTo(ctx context.Context, of bus.Ref, target string) ([]bus.Rule, error)
	PutTargets(ctx context.Context, ref bus.RuleRef, targets []bus.Target) (r bus.Rule, errs []error, err error)
	RemoveTargets(ctx context.Context, ref bus.RuleRef, ids []string) (r bus.Rule, errs []error, err error)

	CreateArchive(ctx context.Context, ref bus.NamedRef, spec bus.ArchiveSpec) (bus.Archive, error)
	UpdateArchive(ctx context.Context, ref bus.NamedRef, change func(*bus.ArchiveSpec) error) (bus.Archive, error)
	Archive(ctx context.Context, ref bus.NamedRef) (bus.Archive, error)
	Archives(ctx context.Context, prefix bus.NamedRef, after string, most int) (out []bus.Archive, next string, err error)
	Weigh(ctx context.Context, archives []bus.Archive) ([]bus.Weight, error)
	DeleteArchive(ctx context.Context, ref bus.NamedRef) error
	StartReplay(ctx context.Context, ref bus.NamedRef, spec bus.ReplaySpec) (bus.Replay, error)
	Replay(ctx context.Context, ref bus.NamedRef) (bus.Replay, error)
	Replays(ctx context.Context, prefix bus.NamedRef, after string, most int) (out []bus.Replay, next string, err error)
	CancelReplay(ctx context.Context, ref bus.NamedRef) (bus.Replay, error)
}

// Connections is what the door asks of connections and API destinations;
// internal/event/connection has it.
type Connections interface {
	Create(ctx context.Context, ref name.Ref, spec connection.Spec) (connection.Connection, error)
	Update(ctx context.Context, ref name.Ref, change func(description *string, auth **connection.Auth) error) (connection.Connection, error)
	Deauthorize(ctx context.Context, ref name.Ref) (connection.Connection, error)
	Delete(ctx context.Context, ref name.Ref, force bool) (connection.Connection, error)
	Describe(ctx context.Context, ref name.Ref) (connection.Connection, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]connection.Connection, string, error)

	CreateDestination(ctx context.Context, ref name.Ref, spec connection.DestinationSpec) (connection.Destination, error)
	UpdateDestination(ctx context.Context, ref name.Ref, change func(*connection.DestinationSpec) error) (connection.Destination, error)
	DeleteDestination(ctx context.Context, ref name.Ref, force bool) error
	DescribeDestination(ctx context.Context, ref name.Ref) (connection.Destination, error)
	ListDestinations(ctx context.Context, begin, of name.Ref, after string, most int) ([]connection.Destination, string, error)
}

// Options make the service.
type Options struct {
	Buses       Buses
	Connections Connections
	// Now is the domain clock; nil is the real time.
	Now    func() time.Time
	Logger *slog.Logger // nil for none
}

// door answers EventBridge's calls.
type door struct {
	buses       Buses
	connections Connections
	now         func() time.Time
	log         *slog.Logger
	deny        *sync.Once // warned of a policy that denies
}

// Service is EventBridge on buses.
func Service(o Options) *aws.Service {
	d := door{o.Buses, o.Connections, o.Now, o.Logger, new(sync.Once)}
	if d.now == nil {
		d.now = time.Now
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return &aws.Service{
		Name: "events", Target: "AWSEvents", JSON: protocol.JSON{Type: "application/x-amz-json-1.1"},
		Ops: d.ops(), Refused: refusedOps(),
	}
}

// ops is the table of operations, in the order of the documentation.
func (d door) ops() []protocol.Op {
	return []protocol.Op{
		protocol.Handle("PutEvents", "answered when durable; an entry for a bus that is not there fails (at AWS it vanishes)", d.putEvents),
		protocol.Handle("TestEventPattern", "", d.testPattern),

		protocol.Handle("CreateEventBus", "no encryption; a topic of the bus's name has the events; LogConfig is kept and means nothing", d.createBus),
		protocol.Handle("DescribeEventBus", "", d.describeBus),
		protocol.Handle("UpdateEventBus", "", d.updateBus),
		protocol.Handle("DeleteEventBus", "at once, with its topic, unless that was there before", d.deleteBus),
		protocol.Handle("ListEventBuses", "", d.listBuses),
		protocol.Handle("PutPermission", "stored and told back; it means nothing, since there are no users yet", d.putPermission),
		protocol.Handle("RemovePermission", "as PutPermission", d.removePermission),

		protocol.Handle("PutRule", "holds for what is put after the answer; RoleArn is kept and means nothing", d.putRule),
		protocol.Handle("DescribeRule", "", d.describeRule),
		protocol.Handle("ListRules", "", d.listRules),
		protocol.Handle("ListRuleNamesByTarget", "", d.rulesByTarget),
		protocol.Handle("EnableRule", "", d.enableRule),
		protocol.Handle("DisableRule", "", d.disableRule),
		protocol.Handle("DeleteRule", "", d.deleteRule),
		protocol.Handle("PutTargets", "queues, topics (arn:aws:kafka:…:topic/ottla/NAME), buses, SNS topics, API destinations, functions, addresses (https://…); 100 a rule", d.putTargets),
		protocol.Handle("ListTargetsByRule", "", d.listTargets),
		protocol.Handle("RemoveTargets", "", d.removeTargets),

		protocol.Handle("CreateArchive", "without a pattern it is the bus's topic, kept for longer; with one a copy, which an update cannot change into the other", d.createArchive),
		protocol.Handle("DescribeArchive", "SizeBytes and EventCount are of now; without a pattern they are the whole topic's of the bus; where a partition has more than 500 events, EventCount is an estimate", d.describeArchive),
		protocol.Handle("UpdateArchive", "", d.updateArchive),
		protocol.Handle("DeleteArchive", "", d.deleteArchive),
		protocol.Handle("ListArchives", "SizeBytes and EventCount as DescribeArchive", d.listArchives),
		protocol.Handle("StartReplay", "at once, in order, by when events were put; as many as you like at a time", d.startReplay),
		protocol.Handle("DescribeReplay", "", d.describeReplay),
		protocol.Handle("CancelReplay", "", d.cancelReplay),
		protocol.Handle("ListReplays", "", d.listReplays),

		protocol.Handle("CreateConnection", "secrets are sealed here, so there is no SecretArn; no KmsKeyIdentifier and no private connectivity", d.createConnection),
		protocol.Handle("DescribeConnection", "", d.describeConnection),
		protocol.Handle("UpdateConnection", "a change of AuthParameters gives its secrets again", d.updateConnection),
		protocol.Handle("DeauthorizeConnection", "", d.deauthorizeConnection),
		protocol.Handle("DeleteConnection", "at once", d.deleteConnection),
		protocol.Handle("ListConnections", "", d.listConnections),
		protocol.Handle("CreateApiDestination", "http:// is possible; which addresses may be called the node decides (--allow-targets)", d.createDestination),
		protocol.Handle("DescribeApiDestination", "", d.describeDestination),
		protocol.Handle("UpdateApiDestination", "", d.updateDestination),
		protocol.Handle("DeleteApiDestination", "", d.deleteDestination),
		protocol.Handle("ListApiDestinations", "", d.listDestinations),

		protocol.Handle("TagResource", "", d.tag),
		protocol.Handle("UntagResource", "", d.untag),
		protocol.Handle("ListTagsForResource", "", d.listTags),
	}
}

// refusedOps are the operations that are not served, each with the reason.
func refusedOps() map[string]string {
	out := map[string]string{}
	for why, ops := range map[string][]string{
		"there are no partners whose events could come": {
			"ActivateEventSource", "DeactivateEventSource", "DescribeEventSource", "ListEventSources", "CreatePartnerEventSource", "DeletePartnerEventSource",
			"DescribePartnerEventSource", "ListPartnerEventSources", "ListPartnerEventSourceAccounts", "PutPartnerEvents",
		},
		"there are no global endpoints: a cluster is one place": {
			"CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint",
		},
	} {
		for _, op := range ops {
			out[op] = why
		}
	}
	return out
}
