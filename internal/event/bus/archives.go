package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// ArchiveSpec is what an archive is told to be. Without a pattern it keeps the bus's
// topic for longer; with one it is an exact copy of the events that fit.
type ArchiveSpec struct {
	Bus     Ref    `json:"bus"`
	Pattern string `json:"pattern,omitempty"`
	// RetentionMs is how long events are kept; 0 is for ever.
	RetentionMs int64  `json:"retention_ms,omitempty"`
	Description string `json:"description,omitempty"`
	// Topic has the copies; "" without a pattern. The Service sets it.
	Topic string `json:"topic,omitempty"`
}

// Archive is an archive as it is.
type Archive struct {
	NamedRef
	ArchiveSpec
	ID                string
	Version           int64
	Created, Modified time.Time
}

// Full is the name of the object.
func (a *Archive) Full() name.Ref { return a.full(name.Archive) }

// archiveRule begins the names of the rules that archives have.
const archiveRule = "Events-Archive-"

func archiveOf(o *object.Object) (Archive, error) {
	a := Archive{NamedRef: namedOf(o.Ref), ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	if err := json.Unmarshal(o.Spec, &a.ArchiveSpec); err != nil {
		return a, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	return a, nil
}

func namedOf(r name.Ref) NamedRef { return NamedRef{r.Account, r.Region, r.Name} }

func (s *ArchiveSpec) check() error {
	if s.RetentionMs < 0 {
		return invalid("retention_ms", "%d is no time that events are kept; 0 is for ever", s.RetentionMs)
	}
	if err := checkRetention(s.RetentionMs); err != nil {
		return err
	}
	if len(s.Pattern) > mostPattern {
		return invalid("pattern", "it has %d bytes; %d are possible", len(s.Pattern), mostPattern)
	}
	if s.Pattern != "" {
		if _, err := ParsePattern(s.Pattern); err != nil {
			return err
		}
	}
	return checkWords(s.Description, nil, nil)
}

// CreateArchive makes an archive; ErrExists when there is one of that name.
func (s *Service) CreateArchive(ctx context.Context, ref NamedRef, spec ArchiveSpec) (Archive, error) {
	full := ref.full(name.Archive)
	if err := checkName(full); err != nil {
		return Archive{}, err
	}
	if _, err := s.Archive(ctx, ref); err == nil {
		return Archive{}, fmt.Errorf("%s: %w", full, ErrExists)
	} else if !errors.Is(err, ErrNotFound) {
		return Archive{}, err
	}
	spec.Bus, spec.Topic = spec.Bus.Filled(), ""
	if err := spec.check(); err != nil {
		return Archive{}, err
	}
	b, err := s.used(ctx, spec.Bus)
	if err != nil {
		return Archive{}, err
	}
	if spec.Pattern != "" {
		if err := s.copyTo(ctx, full, b, &spec); err != nil {
			return Archive{}, err
		}
	}
	a, err := s.putArchive(ctx, full, 0, &spec)
	if errors.Is(err, ErrConflict) {
		return a, fmt.Errorf("%s: %w", full, ErrExists)
	}
	if err == nil && spec.Pattern == "" {
		err = s.retain(ctx, b)
	}
	return a, err
}

// copyTo makes the topic of an archive's copies, and the rule that writes them.
func (s *Service) copyTo(ctx context.Context, full name.Ref, b Bus, spec *ArchiveSpec) error {
	topic := full.LongTopicName()
	if by, held, err := s.o.Objects.HolderOf(ctx, topic); err != nil {
		return unavailable(full.String(), err)
	} else if held && by != full {
		return invalid("name", "the topic %s is that of %s already", topic, by)
	}
	keep := spec.RetentionMs
	if keep == 0 {
		keep = -1
	}
	there, err := s.makeTopic(ctx, topic, b.Partitions, keep)
	if err == nil && there { // of an archive that was not made to its end, or is updated
		err = s.setRetention(ctx, topic, keep)
	}
	if err != nil {
		return err
	}
	spec.Topic = topic
	_, _, err = s.changeRule(ctx, b.Rule(archiveRule+full.Name), changing{make: true, managed: true, how: func(n *noteOfRule) error {
		n.Pattern, n.ManagedBy, n.Description = spec.Pattern, full.Name, "copies what "+full.String()+" keeps"
		if len(n.Targets) == 0 {
			n.Targets = []Target{{ID: "archive"}}
		}
		n.Targets[0].To = "topic:" + topic
		return nil
	}})
	return err
}

func (s *Service) putArchive(ctx context.Context, full name.Ref, version int64, spec *ArchiveSpec) (Archive, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return Archive{}, fmt.Errorf("write %s: %w", full, err)
	}
	o, err := s.o.Objects.Put(ctx, object.Object{Ref: full, Version: version, Spec: text})
	if err != nil {
		return Archive{}, objectError(full, err)
	}
	return archiveOf(&o)
}

// Archive finds an archive.
func (s *Service) Archive(ctx context.Context, ref NamedRef) (Archive, error) {
	full := ref.full(name.Archive)
	if err := checkName(full); err != nil {
		return Archive{}, err
	}
	o, err := s.o.Objects.Get(ctx, full)
	if err != nil {
		return Archive{}, objectError(full, err)
	}
	return archiveOf(&o)
}

// Archives gives archives whose names begin with prefix.Name, by name, as List does.
func (s *Service) Archives(ctx context.Context, prefix NamedRef, after string, most int) (out []Archive, next string, err error) {
	all, next, err := s.o.Objects.List(ctx, prefix.full(name.Archive), after, most)
	if err != nil {
		return nil, "", unavailable("list archives", err)
	}
	for i := range all {
		a, err := archiveOf(&all[i])
		if err != nil {
			return nil, "", err
		}
		out = append(out, a)
	}
	return out, next, nil
}

// archivesOf gives the archives of a bus.
func (s *Service) archivesOf(ctx context.Context, bus name.Ref) ([]Archive, error) {
	all, _, err := s.Archives(ctx, NamedRef{Account: bus.Account, Region: bus.Region}, "", 1<<30)
	return slices.DeleteFunc(all, func(a Archive) bool { return a.Bus.Full() != bus }), err
}

// UpdateArchive changes an archive; its bus stays, and whether it has a pattern.
func (s *Service) UpdateArchive(ctx context.Context, ref NamedRef, change func(*ArchiveSpec) error) (Archive, error) {
	for try := 1; ; try++ {
		a, err := s.updateArchive(ctx, ref, change)
		if !again(ctx, err, try) {
			return a, err
		}
	}
}

func (s *Service) updateArchive(ctx context.Context, ref NamedRef, change func(*ArchiveSpec) error) (Archive, error) {
	old, err := s.Archive(ctx, ref)
	if err != nil {
		return Archive{}, err
	}
	spec := old.ArchiveSpec
	if err := change(&spec); err != nil {
		return Archive{}, err
	}
	spec.Bus, spec.Topic = old.Bus, old.Topic
	if (spec.Pattern == "") != (old.Pattern == "") {
		return Archive{}, invalid("pattern", "an archive keeps whole what it has no pattern for, and copies what it has one for: make another")
	}
	if err := spec.check(); err != nil {
		return Archive{}, err
	}
	b, err := s.Get(ctx, spec.Bus)
	if err != nil {
		return Archive{}, err
	}
	if spec.Pattern != "" {
		if err := s.copyTo(ctx, old.Full(), b, &spec); err != nil {
			return Archive{}, err
		}
	}
	a, err := s.putArchive(ctx, old.Full(), old.Version, &spec)
	if err == nil && spec.Pattern == "" {
		err = s.retain(ctx, b)
	}
	return a, err
}

// DeleteArchive deletes an archive with what it kept, unless that is the bus's too.
func (s *Service) DeleteArchive(ctx context.Context, ref NamedRef) error {
	for try := 1; ; try++ {
		a, err := s.Archive(ctx, ref)
		if err != nil {
			return err
		}
		if a.Pattern != "" {
			if err := s.deleteRule(ctx, a.Bus.Rule(archiveRule+a.Name), true, true); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err := s.endReplays(ctx, func(r *Replay) bool { return r.Archive == a.Name && r.Bus == a.Bus }); err != nil {
				return err
			}
		}
		err = objectError(a.Full(), s.o.Objects.Delete(ctx, a.Full(), a.Version))
		if again(ctx, err, try) {
			continue
		}
		if err == nil && a.Topic != "" {
			return s.deleteTopic(ctx, a.Topic)
		}
		if b, known := s.Get(ctx, a.Bus); err == nil && known == nil {
			err = s.retain(ctx, b)
		}
		return err
	}
}

// retain has a bus's topic keep events as long as the bus and its archives want it. An
// adopted topic keeps them at least as long as it did.
func (s *Service) retain(ctx context.Context, b Bus) error {
	archives, err := s.archivesOf(ctx, b.Full())
	if err != nil {
		return err
	}
	keep := b.RetentionMs
	if keep == 0 {
		if keep, err = s.retention(ctx, b.Topic); err != nil {
			return err
		}
	}
	for _, a := range archives {
		switch {
		case a.Pattern != "" || keep == -1:
		case a.RetentionMs == 0:
			keep = -1
		default:
			keep = max(keep, a.RetentionMs)
		}
	}
	return s.setRetention(ctx, b.Topic, keep)
}

// retention is how long a topic keeps events, in ms.
func (s *Service) retention(ctx context.Context, topic string) (int64, error) {
	c, err := s.kafka()
	if err != nil {
		return 0, err
	}
	all, err := kadm.NewClient(c).DescribeTopicConfigs(ctx, topic)
	if err == nil && len(all) == 1 {
		err = all[0].Err
	}
	if err != nil {
		return 0, unavailable("read how long "+topic+" keeps events", err)
	}
	for _, r := range all {
		for _, x := range r.Configs {
			if x.Key == "retention.ms" && x.Value != nil {
				return strconv.ParseInt(*x.Value, 10, 64)
			}
		}
	}
	return DefaultRetentionMs, nil
}

// managedName tells whether a name is kept for rules of archives.
func managedName(rule string) bool { return strings.HasPrefix(rule, archiveRule) }
