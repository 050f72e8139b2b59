package events

import (
	"context"
	"strconv"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
)

type replayDestination struct {
	Arn     string   `json:"Arn"`
	Filters []string `json:"FilterArns,omitempty"`
}

type startReplayIn struct {
	Name        string             `json:"ReplayName"`
	Description string             `json:"Description"`
	Source      string             `json:"EventSourceArn"`
	From        *protocol.Moment   `json:"EventStartTime"`
	To          *protocol.Moment   `json:"EventEndTime"`
	Destination *replayDestination `json:"Destination"`
}

func (in *startReplayIn) check() error {
	var b broken
	b.name("replayName", in.Name)
	b.Length("description", in.Description, 0, maxDescription)
	b.arn("eventSourceArn", in.Source)
	if in.From == nil {
		b.Null("eventStartTime")
	}
	if in.To == nil {
		b.Null("eventEndTime")
	}
	if in.Destination == nil {
		b.Null("destination")
	} else {
		b.arn("destination.arn", in.Destination.Arn)
		for i, f := range in.Destination.Filters {
			b.arn("destination.filterArns."+strconv.Itoa(i+1)+".member", f)
		}
	}
	return b.Err()
}

// spec checks what a replay names. The rules of the destination are told by their
// own names.
func (in *startReplayIn) spec(archive bus.Archive) (bus.ReplaySpec, error) {
	s := bus.ReplaySpec{Bus: archive.Bus, Archive: archive.Name, FromMs: int64(*in.From), ToMs: int64(*in.To), Description: in.Description}
	to, err := busByARN("Destination.Arn", in.Destination.Arn)
	if err != nil {
		return s, err
	}
	if to.Full() != archive.Bus.Full() {
		return s, invalid("Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
	}
	if s.FromMs >= s.ToMs {
		return s, invalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
	}
	for _, arn := range in.Destination.Filters {
		ref, err := name.ParseARN(arn)
		if err != nil || ref.Kind != name.Rule || bus.RuleRefOf(ref).Of().Full() != to.Full() {
			return s, invalid("Parameter Destination.FilterArns is not valid. Reason: %s is no rule of event bus %s.", arn, to.Name)
		}
		s.Rules = append(s.Rules, bus.RuleRefOf(ref).Name)
	}
	return s, nil
}

// shownReplay is what is told of a replay.
type shownReplay struct {
	Name        string             `json:"ReplayName,omitempty"`
	Arn         string             `json:"ReplayArn,omitempty"`
	Description string             `json:"Description,omitempty"`
	State       string             `json:"State"`
	Reason      string             `json:"StateReason,omitempty"`
	Source      string             `json:"EventSourceArn,omitempty"`
	Destination *replayDestination `json:"Destination,omitempty"`
	From        *protocol.Moment   `json:"EventStartTime,omitempty"`
	To          *protocol.Moment   `json:"EventEndTime,omitempty"`
	Last        *protocol.Moment   `json:"EventLastReplayedTime,omitempty"`
	Started     *protocol.Moment   `json:"ReplayStartTime,omitempty"`
	Ended       *protocol.Moment   `json:"ReplayEndTime,omitempty"`
}

// States of replays that AWS has and ours do not.
const (
	starting   = "STARTING"
	cancelling = "CANCELLING"
)

// state is a replay's state in AWS's words: what is paused runs.
func state(r bus.Replay) (state, reason string) {
	if r.State == bus.Paused {
		return bus.Running, "It is paused."
	}
	return r.State, ""
}

func msMoment(ms int64) *protocol.Moment {
	if ms == 0 {
		return nil
	}
	m := protocol.Moment(ms)
	return &m
}

// listed is a replay in a list.
func listed(r bus.Replay) shownReplay {
	out := shownReplay{
		Name: r.Name, Source: name.Ref{Kind: name.Archive, Account: r.Full().Account, Region: r.Full().Region, Name: r.Archive}.ARN(),
		From: msMoment(r.FromMs), To: msMoment(r.ToMs), Started: moment(r.Started), Ended: msMoment(r.EndedMs),
	}
	if r.Archive == "" {
		out.Source = r.Bus.ARN()
	}
	if r.State == bus.Completed {
		out.Last = out.To
	}
	out.State, out.Reason = state(r)
	return out
}

func (d door) startReplay(ctx context.Context, c *protocol.Call, in *startReplayIn) (*shownReplay, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	of, err := name.ParseARN(in.Source)
	if err != nil || of.Kind != name.Archive {
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: Must contain an archive ARN.")
	}
	archive, err := d.buses.Archive(ctx, bus.NamedRef{Account: of.Account, Region: of.Region, Name: of.Name})
	if err != nil {
		return nil, noArchive(of.Name, err)
	}
	spec, err := in.spec(archive)
	if err != nil {
		return nil, err
	}
	for _, rule := range spec.Rules {
		if _, err := d.rule(ctx, spec.Bus.Rule(rule)); err != nil {
			return nil, err
		}
	}
	r, err := d.buses.StartReplay(ctx, named(c, in.Name), spec)
	if err != nil {
		return nil, refuse("Replay "+in.Name, err)
	}
	return &shownReplay{Arn: r.Full().ARN(), State: starting, Started: moment(r.Started)}, nil
}

type replayNameIn struct {
	Name string `json:"ReplayName"`
}

func (in *replayNameIn) check() error {
	var b broken
	b.name("replayName", in.Name)
	return b.Err()
}

func (d door) describeReplay(ctx context.Context, c *protocol.Call, in *replayNameIn) (*shownReplay, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	r, err := d.buses.Replay(ctx, named(c, in.Name))
	if err != nil {
		return nil, refuse("Replay "+in.Name, err)
	}
	out := listed(r)
	out.Arn, out.Description, out.Destination = r.Full().ARN(), r.Description, &replayDestination{Arn: r.Bus.ARN()}
	for _, rule := range r.Rules {
		out.Destination.Filters = append(out.Destination.Filters, r.Bus.Rule(rule).ARN())
	}
	return &out, nil
}

func (d door) cancelReplay(ctx context.Context, c *protocol.Call, in *replayNameIn) (*shownReplay, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	r, err := d.buses.CancelReplay(ctx, named(c, in.Name))
	if inUse(err) {
		return nil, protocol.Errorf(badStatus, "Replay %s is not in a valid state for this operation.", in.Name)
	}
	if err != nil {
		return nil, refuse("Replay "+in.Name, err)
	}
	return &shownReplay{Arn: r.Full().ARN(), State: cancelling}, nil
}

type listReplaysOut struct {
	Replays   []shownReplay `json:"Replays"`
	NextToken string        `json:"NextToken,omitempty"`
}

func (d door) listReplays(ctx context.Context, c *protocol.Call, in *filtered) (*listReplaysOut, error) {
	var b broken
	most, after := in.page(&b)
	if err := in.check(&b, maxName, "ListReplays", starting, bus.Running, cancelling, bus.Completed, bus.Cancelled, "FAILED"); err != nil {
		return nil, err
	}
	out := &listReplaysOut{Replays: []shownReplay{}}
	for {
		found, next, err := d.buses.Replays(ctx, named(c, in.Prefix), after, most)
		if err != nil {
			return nil, refuse("", err)
		}
		for _, r := range found {
			if s := listed(r); (in.State == "" || in.State == s.State) && (in.Source == "" || in.Source == s.Source) {
				out.Replays = append(out.Replays, s)
			}
		}
		if next == "" || len(out.Replays) > 0 { // as of archives
			out.NextToken = token(next)
			return out, nil
		}
		after = next
	}
}
