package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/uuid"
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
	making, ending    bool      // it is no archive yet, or none any more
	topicID           uuid.UUID // of its own topic; zero: none, or it is not noted
}

// noteOfArchive is what the object says.
type noteOfArchive struct {
	ArchiveSpec
	stage
}

// Full is the name of the object.
func (a *Archive) Full() name.Ref { return a.full(name.Archive) }

// archiveRule begins the names of the rules that archives have.
const archiveRule = "Events-Archive-"

func archiveOf(o *object.Object) (Archive, error) {
	a := Archive{NamedRef: namedOf(o.Ref), ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	var n noteOfArchive
	if err := json.Unmarshal(o.Spec, &n); err != nil {
		return a, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	a.ArchiveSpec, a.making, a.ending, a.topicID = n.ArchiveSpec, n.Making, n.Ending, n.readID()
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
	if err := checkName(ref.full(name.Archive)); err != nil {
		return Archive{}, err
	}
	spec.Bus, spec.Topic = spec.Bus.Filled(), ""
	if err := spec.check(); err != nil {
		return Archive{}, err
	}
	for try := 1; ; try++ {
		a, err := s.createArchive(ctx, namedOf(ref.full(name.Archive)), spec)
		if !again(ctx, err, try) {
			return a, err
		}
	}
}

// createArchive notes what the archive will be, makes what it needs, and notes that it is
// there, as create does of a bus.
func (s *Service) createArchive(ctx context.Context, ref NamedRef, spec ArchiveSpec) (Archive, error) {
	full := ref.full(name.Archive)
	old, err := s.currentArchive(ctx, ref)
	switch {
	case err == nil && (old.ending || old.making && (old.Bus != spec.Bus || (old.Topic == "") != (spec.Pattern == ""))):
		if err := s.endArchive(ctx, &old); err != nil {
			return Archive{}, err
		}
		old = Archive{NamedRef: ref}
	case err == nil && !old.making:
		return Archive{}, fmt.Errorf("%s: %w", full, ErrExists)
	case errors.Is(err, ErrNotFound):
		old = Archive{NamedRef: ref}
	case err != nil:
		return Archive{}, err
	}
	b, err := s.used(ctx, spec.Bus)
	if err != nil {
		return Archive{}, err
	}
	if spec.Pattern != "" {
		if spec.Topic, err = s.longTopic(ctx, full); err != nil {
			return Archive{}, err
		}
		if there, err := s.partitions(ctx, spec.Topic); err != nil {
			return Archive{}, err
		} else if there > 0 && !old.making {
			return Archive{}, notMade(spec.Topic)
		}
	}
	a, err := s.putArchive(ctx, b, &old, noteOfArchive{spec, stage{Making: true}})
	if err != nil {
		return Archive{}, err
	}
	made := noteOfArchive{ArchiveSpec: spec}
	if made.TopicID, err = s.buildArchive(ctx, b, &a, old.making); err != nil {
		if errors.Is(err, ErrInvalid) && made.TopicID == "" { // it will never be, and nothing was made
			err = errors.Join(err, s.o.Objects.Remove(ctx, a.object()))
		}
		return Archive{}, s.unmakeArchive(ctx, ref, made, err)
	}
	done, err := s.putArchive(ctx, b, &a, made)
	return done, s.unmakeArchive(ctx, ref, made, err)
}

// unmakeArchive ends an archive that was deleted while it was made, as unmake does of a
// bus, if that is why it could not be made.
func (s *Service) unmakeArchive(ctx context.Context, ref NamedRef, n noteOfArchive, why error) error {
	if n.TopicID == "" || !errors.Is(why, ErrNotFound) && !errors.Is(why, ErrConflict) {
		return why
	}
	o := object.Object{Ref: ref.full(name.Archive)}
	n.Ending = true
	var err error
	if o.Spec, err = json.Marshal(n); err != nil {
		return fmt.Errorf("write %s: %w", o.Ref, err)
	}
	o, err = s.o.Objects.Put(ctx, o)
	if errors.Is(err, object.ErrConflict) { // it is there, or another
		return why
	}
	if err != nil {
		return errors.Join(why, objectError(ref.full(name.Archive), err))
	}
	a, err := archiveOf(&o)
	if err == nil {
		err = s.endArchive(ctx, &a)
	}
	return errors.Join(why, err)
}

// object is that of an archive, without what it says.
func (a *Archive) object() object.Object {
	return object.Object{Ref: a.Full(), ID: a.ID, Version: a.Version}
}

// there tells whether it is an archive.
func (a *Archive) there() bool { return !a.making && !a.ending }

// buildArchive makes what an archive needs, and tells the id of its topic. left: somebody
// may have made it who was killed then.
func (s *Service) buildArchive(ctx context.Context, b Bus, a *Archive, left bool) (topicID string, err error) {
	if a.Pattern == "" {
		return "", s.retain(ctx, b)
	}
	id, there, err := s.makeTopic(ctx, a.Topic, b.Partitions, a.keep())
	switch {
	case err != nil:
		return "", err
	case there && left:
		if id, _, err = s.leftTopic(ctx, a.Topic, b.Partitions, a.keep()); err != nil {
			return "", err
		}
	}
	if id.IsZero() {
		return "", notMade(a.Topic)
	}
	return idText(id), s.copyTo(ctx, b, a, &a.ArchiveSpec)
}

// notMade refuses a topic that is there and was not made for an archive.
func notMade(topic string) error {
	return invalid("name", "there is a topic %s, which no archive made: delete it, or give the archive another name", topic)
}

// keep is how long the topic of an archive keeps events.
func (s *ArchiveSpec) keep() int64 {
	if s.RetentionMs == 0 {
		return -1
	}
	return s.RetentionMs
}

// copyTo has the rule that writes an archive's copies be what it is to be. It is put under
// the archive: no rule is left of one that somebody deletes meanwhile.
func (s *Service) copyTo(ctx context.Context, b Bus, a *Archive, spec *ArchiveSpec) error {
	full := a.Full()
	_, _, err := s.changeRule(ctx, b.Rule(archiveRule+full.Name), changing{make: true, managed: true, owner: a.object(), how: func(n *noteOfRule) error {
		n.Pattern, n.ManagedBy, n.Description = spec.Pattern, full.Name, "copies what "+full.String()+" keeps"
		if len(n.Targets) == 0 {
			n.Targets = []Target{{ID: "archive"}}
		}
		n.Targets[0].To = "topic:" + spec.Topic
		return nil
	}})
	return err
}

// putArchive writes the object of an archive, which is was until then.
func (s *Service) putArchive(ctx context.Context, b Bus, was *Archive, n noteOfArchive) (Archive, error) {
	o := was.object()
	var err error
	if o.Spec, err = json.Marshal(n); err != nil {
		return Archive{}, fmt.Errorf("write %s: %w", o.Ref, err)
	}
	if o, err = s.o.Objects.PutUnder(ctx, o, b.object()); err != nil {
		return Archive{}, objectError(was.Full(), err)
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
	a, err := archiveOf(&o)
	if err == nil && !a.there() { // or it was so a moment ago: another node may have told that it is made
		a, err = s.currentArchive(ctx, ref)
	}
	if err == nil && !a.there() {
		what := "made"
		if a.ending {
			what = "deleted"
		}
		return Archive{}, fmt.Errorf("%s is being %s: %w", full, what, ErrNotFound)
	}
	return a, err
}

// currentArchive finds what was written of an archive anywhere before, also while it is
// being made or deleted.
func (s *Service) currentArchive(ctx context.Context, ref NamedRef) (Archive, error) {
	o, err := s.o.Objects.Current(ctx, ref.full(name.Archive))
	if err != nil {
		return Archive{}, objectError(ref.full(name.Archive), err)
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
		if a.there() {
			out = append(out, a)
		}
	}
	return out, next, nil
}

// archivesOf gives the archives of a bus, also those that are being made or deleted.
func (s *Service) archivesOf(ctx context.Context, bus name.Ref) (out []Archive, err error) {
	all, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.Archive, Account: bus.Account, Region: bus.Region}, "", 1<<30)
	if err != nil {
		return nil, unavailable("list archives", err)
	}
	for i := range all {
		a, err := archiveOf(&all[i])
		if err != nil {
			return nil, err
		}
		if a.Bus.Full() == bus {
			out = append(out, a)
		}
	}
	return out, nil
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
		if err := s.setRetention(ctx, spec.Topic, spec.keep(), false); err != nil {
			return Archive{}, err
		}
		if err := s.copyTo(ctx, b, &old, &spec); err != nil {
			return Archive{}, err
		}
	}
	a, err := s.putArchive(ctx, b, &old, noteOfArchive{spec, stage{TopicID: idText(old.topicID)}})
	if err == nil && spec.Pattern == "" {
		err = s.retain(ctx, b)
	}
	return a, err
}

// DeleteArchive deletes an archive with what it kept, unless that is the bus's too. One
// that another has made anew meanwhile stays.
func (s *Service) DeleteArchive(ctx context.Context, ref NamedRef) error {
	if err := checkName(ref.full(name.Archive)); err != nil {
		return err
	}
	id := "" // of the archive that is deleted
	for try := 1; ; try++ {
		a, err := s.currentArchive(ctx, ref)
		switch gone := errors.Is(err, ErrNotFound) || err == nil && a.ID != id; {
		case id != "" && gone: // somebody else has ended it
			return nil
		case err != nil:
			return err
		}
		id = a.ID
		if err = s.deleteArchive(ctx, a); !again(ctx, err, try) {
			return err
		}
	}
}

// deleteArchive notes that an archive ends, after which no replay of it begins, and ends
// it.
func (s *Service) deleteArchive(ctx context.Context, a Archive) error {
	if !a.ending {
		o, err := a.object(), error(nil)
		if o.Spec, err = json.Marshal(noteOfArchive{a.ArchiveSpec, stage{Ending: true, TopicID: idText(a.topicID)}}); err != nil {
			return fmt.Errorf("write %s: %w", o.Ref, err)
		}
		if o, err = s.o.Objects.Put(ctx, o); err != nil {
			return objectError(a.Full(), err)
		}
		if a, err = archiveOf(&o); err != nil {
			return err
		}
	}
	return s.endArchive(ctx, &a)
}

// endArchive takes away what an archive that is being deleted was made of, and then that
// it was there, as end does of a bus.
func (s *Service) endArchive(ctx context.Context, a *Archive) error {
	if now, err := s.currentArchive(ctx, a.NamedRef); err != nil || now.ID != a.ID {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	}
	if a.Topic != "" {
		if err := s.deleteRule(ctx, a.Bus.Rule(archiveRule+a.Name), true, true); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := s.endReplays(ctx, func(r *Replay) bool { return r.Archive == a.Name && r.Bus == a.Bus }); err != nil {
			return err
		}
		if err := s.deleteTopic(ctx, a.Topic, a.topicID); err != nil {
			return err
		}
	} else if b, err := s.Get(ctx, a.Bus); err == nil { // else the bus goes, too
		if err := s.retain(ctx, b); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	err := objectError(a.Full(), s.o.Objects.Remove(ctx, a.object()))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// managedName tells whether a name is kept for rules of archives.
func managedName(rule string) bool { return strings.HasPrefix(rule, archiveRule) }
