package events

import (
	"context"
	"log/slog"
	"maps"

	"ottla/internal/event/bus"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

// Names under which a bus keeps what only this door knows.
const (
	extraLogDetail = "log_include_detail"
	extraLogLevel  = "log_level"
)

type deadLetterConfig struct {
	Arn string `json:"Arn,omitempty"`
}

type logConfig struct {
	Detail string `json:"IncludeDetail,omitempty"`
	Level  string `json:"Level,omitempty"`
}

// busIn is what CreateEventBus and UpdateEventBus take.
type busIn struct {
	Name        string            `json:"Name"`
	Source      string            `json:"EventSourceName"`
	Description *string           `json:"Description"`
	Key         string            `json:"KmsKeyIdentifier"`
	DeadLetters *deadLetterConfig `json:"DeadLetterConfig"`
	Log         *logConfig        `json:"LogConfig"`
	Tags        []constraint.Tag  `json:"Tags"`
}

func (in *busIn) check(b *broken) {
	if in.Description != nil {
		b.Length("description", *in.Description, 0, maxDescription)
	}
	if in.DeadLetters != nil && in.DeadLetters.Arn != "" {
		b.arn("deadLetterConfig.arn", in.DeadLetters.Arn)
	}
	if in.Log != nil {
		b.OneOf("logConfig.includeDetail", in.Log.Detail, "NONE", "FULL")
		b.OneOf("logConfig.level", in.Log.Level, "OFF", "ERROR", "INFO", "TRACE")
	}
	b.Tags("tags", in.Tags, 0)
}

// into writes what is said into a bus's spec; what is not said stays.
func (in *busIn) into(s *bus.Spec) error {
	if in.Key != "" {
		return noEncryption("event buses")
	}
	if in.Description != nil {
		s.Description = *in.Description
	}
	if in.DeadLetters != nil {
		if err := queueARN("DeadLetterConfig.Arn", in.DeadLetters.Arn); err != nil {
			return err
		}
		s.DeadLetters = in.DeadLetters.Arn
	}
	if in.Log != nil {
		extra := maps.Clone(s.Extra)
		if extra == nil {
			extra = map[string]string{}
		}
		keep(extra, extraLogDetail, in.Log.Detail)
		keep(extra, extraLogLevel, in.Log.Level)
		s.Extra = extra
	}
	return nil
}

// keep keeps a value under a name, or nothing when it is "".
func keep(extra map[string]string, name, value string) {
	if value == "" {
		delete(extra, name)
		return
	}
	extra[name] = value
}

func noEncryption(of string) error {
	return invalid("Parameter KmsKeyIdentifier is not valid. Reason: there is no encryption of %s here.", of)
}

// shownBus is what is told of a bus, by several operations under several names.
type shownBus struct {
	Name        string            `json:"Name,omitempty"`
	BusArn      string            `json:"EventBusArn,omitempty"`
	Arn         string            `json:"Arn,omitempty"`
	Description string            `json:"Description,omitempty"`
	DeadLetters *deadLetterConfig `json:"DeadLetterConfig,omitempty"`
	Policy      string            `json:"Policy,omitempty"`
	Log         *logConfig        `json:"LogConfig,omitempty"`
	Created     *protocol.Moment  `json:"CreationTime,omitempty"`
	Modified    *protocol.Moment  `json:"LastModifiedTime,omitempty"`
}

// showBus tells what is set of a bus, without names and times.
func showBus(b bus.Bus) *shownBus {
	out := &shownBus{Description: b.Description}
	if b.DeadLetters != "" {
		out.DeadLetters = &deadLetterConfig{arnOfQueue(b.Ref.Full(), b.DeadLetters)}
	}
	if detail, level := b.Extra[extraLogDetail], b.Extra[extraLogLevel]; detail != "" || level != "" {
		out.Log = &logConfig{detail, level}
	}
	return out
}

// withTimes adds the times; the default bus has none before it is used.
func (s *shownBus) withTimes(b bus.Bus) *shownBus {
	if !b.Created.IsZero() {
		s.Created, s.Modified = moment(b.Created), moment(b.Modified)
	}
	return s
}

func (d door) createBus(ctx context.Context, c *protocol.Call, in *busIn) (*shownBus, error) {
	var b broken
	b.named("name", in.Name, maxBusName, busName)
	in.check(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if in.Source != "" {
		return nil, protocol.Errorf(notFound, "Event source %s does not exist.", in.Source)
	}
	ref, err := ownBus(c, in.Name)
	if err != nil {
		return nil, err
	}
	spec := bus.Spec{Tags: constraint.TagMap(in.Tags)}
	if err := in.into(&spec); err != nil {
		return nil, err
	}
	made, err := d.buses.Create(ctx, ref, spec)
	if err != nil {
		return nil, refuse("Event bus "+in.Name, err)
	}
	out := showBus(made)
	out.BusArn = made.ARN()
	return out, nil
}

// ownBus is a bus by its name alone, for calls that do not take its ARN. Slashes
// are of the names of partners' buses.
func ownBus(c *protocol.Call, called string) (bus.Ref, error) {
	ref, err := busOf(c, called)
	if err == nil && hasSlash(ref.Name) {
		err = invalid("Event bus name must not contain '/'.")
	}
	return ref, err
}

func (d door) updateBus(ctx context.Context, c *protocol.Call, in *busIn) (*shownBus, error) {
	var b broken
	b.optional("name", in.Name, maxBusName, busName)
	in.check(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	ref, err := busOf(c, in.Name)
	if err != nil {
		return nil, err
	}
	now, err := d.buses.Update(ctx, ref, in.into)
	if err != nil {
		return nil, refuse("Event bus "+ref.Name, err)
	}
	out := showBus(now)
	out.Name, out.Arn = now.Name, now.ARN()
	return out, nil
}

type nameIn struct {
	Name string `json:"Name"`
}

func (d door) describeBus(ctx context.Context, c *protocol.Call, in *nameIn) (*shownBus, error) {
	var b broken
	b.optional("name", in.Name, maxARN, busNameOrARN)
	if err := b.Err(); err != nil {
		return nil, err
	}
	ref, err := busOf(c, in.Name)
	if err != nil {
		return nil, err
	}
	found, err := d.buses.Get(ctx, ref)
	if err != nil {
		return nil, refuse("Event bus "+ref.Name, err)
	}
	out := showBus(found).withTimes(found)
	out.Name, out.Arn, out.Policy = found.Name, found.ARN(), found.Policy
	return out, nil
}

// deleteBus deletes a bus; deleting what is not there is no error.
func (d door) deleteBus(ctx context.Context, c *protocol.Call, in *nameIn) (*protocol.Nothing, error) {
	var b broken
	b.named("name", in.Name, maxBusName, busName)
	if err := b.Err(); err != nil {
		return nil, err
	}
	ref, err := busOf(c, in.Name)
	if err != nil {
		return nil, err
	}
	if ref.Name == bus.Default {
		return nil, invalid("Cannot delete event bus default.")
	}
	err = d.buses.Delete(ctx, ref, false)
	if missing(err) {
		return nil, nil
	}
	if inUse(err) {
		return nil, invalid("Event bus can't be deleted since it has rules.")
	}
	return nil, refuse("Event bus "+in.Name, err)
}

type listIn struct {
	Prefix string `json:"NamePrefix"`
	paged
}

type listBusesOut struct {
	Buses     []*shownBus `json:"EventBuses"`
	NextToken string      `json:"NextToken,omitempty"`
}

func (d door) listBuses(ctx context.Context, c *protocol.Call, in *listIn) (*listBusesOut, error) {
	var b broken
	b.optional("namePrefix", in.Prefix, maxBusName, busName)
	most, after := in.page(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	found, next, err := d.buses.List(ctx, bus.Ref{Account: c.Account, Region: c.Region, Name: in.Prefix}, after, most)
	if err != nil {
		return nil, refuse("", err)
	}
	if len(found) > most { // with the default bus, which needs no object
		found = found[:most]
		next = found[most-1].Name
	}
	out := &listBusesOut{Buses: []*shownBus{}, NextToken: token(next)}
	for _, b := range found {
		out.Buses = append(out.Buses, (&shownBus{Name: b.Name, Arn: b.ARN(), Description: b.Description, Policy: b.Policy}).withTimes(b))
	}
	return out, nil
}

// warnOfDeny says once that what a policy denies is not denied here.
func (d door) warnOfDeny(policy string) {
	if denies(policy) {
		d.deny.Do(func() {
			d.log.LogAttrs(context.Background(), slog.LevelWarn, "policies of event buses are stored and told back and mean nothing, since there are no users yet: what one denies is allowed")
		})
	}
}
