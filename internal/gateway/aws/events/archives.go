package events

import (
	"context"
	"errors"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
)

const dayMs = 24 * 3600_000

// maxDays keeps a retention far from what milliseconds hold.
const maxDays = 1 << 20

// archiveIn is what CreateArchive and UpdateArchive take.
type archiveIn struct {
	Name        string  `json:"ArchiveName"`
	Source      string  `json:"EventSourceArn"`
	Description *string `json:"Description"`
	Pattern     *string `json:"EventPattern"`
	Days        *int64  `json:"RetentionDays"`
	Key         string  `json:"KmsKeyIdentifier"`
}

func (in *archiveIn) check(b *broken) {
	b.named("archiveName", in.Name, maxArchiveName, anyName)
	if in.Description != nil {
		b.Length("description", *in.Description, 0, maxDescription)
	}
	if in.Pattern != nil {
		b.Length("eventPattern", *in.Pattern, 0, maxPattern)
	}
	if in.Days != nil {
		b.Number("retentionDays", *in.Days, 0, maxDays)
	}
}

// into writes what is said into an archive's spec; what is not said stays.
func (in *archiveIn) into(s *bus.ArchiveSpec) error {
	if in.Key != "" {
		return noEncryption("archives")
	}
	if in.Description != nil {
		s.Description = *in.Description
	}
	if in.Pattern != nil {
		s.Pattern = *in.Pattern
	}
	if in.Days != nil {
		s.RetentionMs = *in.Days * dayMs
	}
	return nil
}

// shownArchive is what is told of an archive.
type shownArchive struct {
	Arn         string           `json:"ArchiveArn,omitempty"`
	Name        string           `json:"ArchiveName,omitempty"`
	Source      string           `json:"EventSourceArn,omitempty"`
	Description string           `json:"Description,omitempty"`
	Pattern     string           `json:"EventPattern,omitempty"`
	State       string           `json:"State"`
	Days        *int64           `json:"RetentionDays,omitempty"`
	Size        *int64           `json:"SizeBytes,omitempty"`
	Events      *int64           `json:"EventCount,omitempty"`
	Created     *protocol.Moment `json:"CreationTime"`
}

// weighed tells how much archives have, as far as that can be told now.
func (d door) weighed(ctx context.Context, archives []bus.Archive, shown []*shownArchive) {
	weights, err := d.buses.Weigh(ctx, archives)
	if err != nil {
		d.log.Warn("how much some archives have is not told", "err", err)
	}
	for i := range weights {
		if !weights[i].Unknown {
			shown[i].Size, shown[i].Events = &weights[i].Bytes, &weights[i].Events
		}
	}
}

// madeArchive is what calls that change an archive answer.
func madeArchive(a bus.Archive) *shownArchive {
	return &shownArchive{Arn: a.Full().ARN(), State: enabled, Created: moment(a.Created)}
}

// summary is an archive in a list.
func summary(a bus.Archive) *shownArchive {
	days := (a.RetentionMs + dayMs - 1) / dayMs
	return &shownArchive{Name: a.Name, Source: a.Bus.ARN(), State: enabled, Days: &days, Created: moment(a.Created)}
}

// busByARN is the bus that a parameter names.
func busByARN(parameter, arn string) (bus.Ref, error) {
	ref, err := name.ParseARN(arn)
	if err != nil || ref.Kind != name.Bus {
		return bus.Ref{}, invalid("Parameter %s is not valid. Reason: Must contain an event bus ARN.", parameter)
	}
	return bus.RefOf(ref), nil
}

func (d door) createArchive(ctx context.Context, c *protocol.Call, in *archiveIn) (*shownArchive, error) {
	var b broken
	in.check(&b)
	b.arn("eventSourceArn", in.Source)
	if err := b.Err(); err != nil {
		return nil, err
	}
	of, err := busByARN("EventSourceArn", in.Source)
	if err != nil {
		return nil, err
	}
	spec := bus.ArchiveSpec{Bus: of}
	if err := in.into(&spec); err != nil {
		return nil, err
	}
	a, err := d.buses.CreateArchive(ctx, named(c, in.Name), spec)
	if missing(err) {
		return nil, refuse("Event bus "+of.Name, err)
	}
	if err != nil {
		return nil, refuse("Archive "+in.Name, err)
	}
	return madeArchive(a), nil
}

func (d door) updateArchive(ctx context.Context, c *protocol.Call, in *archiveIn) (*shownArchive, error) {
	var b broken
	in.check(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if in.Pattern == nil && in.Days == nil && in.Description == nil {
		return nil, invalid("At least one of EventPattern, RetentionDays or Description must be provided.")
	}
	a, err := d.buses.UpdateArchive(ctx, named(c, in.Name), in.into)
	if err != nil {
		return nil, refuse("Archive "+in.Name, err)
	}
	return madeArchive(a), nil
}

type archiveNameIn struct {
	Name string `json:"ArchiveName"`
}

func (in *archiveNameIn) check() error {
	var b broken
	b.named("archiveName", in.Name, maxArchiveName, anyName)
	return b.Err()
}

func (d door) describeArchive(ctx context.Context, c *protocol.Call, in *archiveNameIn) (*shownArchive, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	a, err := d.buses.Archive(ctx, named(c, in.Name))
	if err != nil {
		return nil, refuse("Archive "+in.Name, err)
	}
	out := summary(a)
	out.Arn, out.Description, out.Pattern = a.Full().ARN(), a.Description, a.Pattern
	d.weighed(ctx, []bus.Archive{a}, []*shownArchive{out})
	return out, nil
}

func (d door) deleteArchive(ctx context.Context, c *protocol.Call, in *archiveNameIn) (*protocol.Nothing, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, refuse("Archive "+in.Name, d.buses.DeleteArchive(ctx, named(c, in.Name)))
}

// filtered is what lists of archives and replays are narrowed by: one of three.
type filtered struct {
	Prefix string `json:"NamePrefix"`
	Source string `json:"EventSourceArn"`
	State  string `json:"State"`
	paged
}

func (f *filtered) check(b *broken, most int, op string, states ...string) error {
	b.optional("namePrefix", f.Prefix, most, anyName)
	b.Length("eventSourceArn", f.Source, 0, maxARN)
	b.OneOf("state", f.State, states...)
	if err := b.Err(); err != nil {
		return err
	}
	given := 0
	for _, value := range []string{f.Prefix, f.Source, f.State} {
		if value != "" {
			given++
		}
	}
	if given > 1 {
		return invalid("At most one filter is allowed for %s. Use either : State, EventSourceArn, or NamePrefix.", op)
	}
	return nil
}

type listArchivesOut struct {
	Archives  []*shownArchive `json:"Archives"`
	NextToken string          `json:"NextToken,omitempty"`
}

func (d door) listArchives(ctx context.Context, c *protocol.Call, in *filtered) (*listArchivesOut, error) {
	var b broken
	most, after := in.page(&b)
	if err := in.check(&b, maxArchiveName, "ListArchives", enabled, disabled, "CREATING", "UPDATING", "CREATE_FAILED", "UPDATE_FAILED"); err != nil {
		return nil, err
	}
	out := &listArchivesOut{Archives: []*shownArchive{}}
	for {
		found, next, err := d.buses.Archives(ctx, named(c, in.Prefix), after, most)
		if err != nil {
			return nil, refuse("", err)
		}
		var told []bus.Archive
		for _, a := range found {
			if s := summary(a); (in.State == "" || in.State == s.State) && (in.Source == "" || in.Source == s.Source) {
				told, out.Archives = append(told, a), append(out.Archives, s)
			}
		}
		if len(told) > 0 {
			d.weighed(ctx, told, out.Archives)
		}
		// A page may be shorter than asked for; it is not empty while there is more.
		if next == "" || len(out.Archives) > 0 {
			out.NextToken = token(next)
			return out, nil
		}
		after = next
	}
}

// noArchive tells that it is the archive that a replay lacks.
func noArchive(called string, err error) error {
	if errors.Is(err, bus.ErrNotFound) {
		return invalid("Parameter EventSourceArn is not valid. Reason: Archive %s does not exist.", called)
	}
	return refuse("Archive "+called, err)
}
