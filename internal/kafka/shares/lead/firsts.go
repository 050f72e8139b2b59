package lead

import (
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/share"
)

// MessageID is the header with the id of a message that is not the one of its
// place.
const MessageID = "ottla.id"

// Written is a record with a deduplication id that somebody has just written.
type Written struct {
	Offset, AtMs int64
	ID           share.DedupID
}

// First is the record that one repeats, or itself; Name is what its header
// MessageID says.
type First struct {
	Offset int64
	Name   string
}

// seeBytes is how much of the log is read at once to see its ids.
const seeBytes = 1 << 20

// maxRepeats bounds those that were seen before they were read for anybody.
const maxRepeats = 1 << 20

// Firsts tells of records which they repeat within the window: what those who
// take will find, asked right after they were written. A record behind one whose
// transaction is open may not be known to be a repeat yet, and is told to be none.
func (p *Part) Firsts(of []Written) ([]First, error) {
	out := make([]First, len(of))
	last := int64(-1)
	for i := range of {
		out[i].Offset = of[i].Offset
		last = max(last, of[i].Offset)
	}
	for {
		p.mu.Lock()
		ok, err := p.serve()
		if !ok || p.window == nil {
			p.unlock()
			if ok {
				return out, nil
			}
			return nil, unready(err)
		}
		more, err := p.seeTo(last)
		if err == nil && !more {
			err = p.lookUp(of, out)
		}
		p.unlock()
		if err != nil || !more {
			return out, err
		}
	}
}

// seeTo sees some of the ids up to an offset, and tells whether there are more.
// mu held.
func (p *Part) seeTo(last int64) (bool, error) {
	from := p.seen
	if from > last || from >= bound(p.log, &p.set) || len(p.repeats) >= maxRepeats {
		return false, nil
	}
	var f partition.Fetched
	err := p.log.Fetch(&partition.FetchArgs{Offset: from, MaxBytes: seeBytes, MinOne: true, Isolation: p.set.Isolation,
		CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if err != nil {
		p.seen = max(p.seen, p.log.Offsets().LogStart)
		return false, p.unread(err)
	}
	if f.Slice.Len == 0 {
		return false, nil
	}
	defer f.Slice.Release()
	bare := p.set
	bare.KeyOrdered = false
	r := newReader(&f, &bare)
	for {
		b, _, ok, err := r.next()
		if err != nil || !ok {
			return err == nil && p.seen > from && p.seen <= last, err
		}
		p.see(r.marks, b.Last+1)
	}
}

// naming bounds what Firsts reads, while mu is held, to tell names, and what it
// tells: records that are repeated beyond it are told without.
const (
	namingReads = 16 << 20 // of batches
	namingTells = 256 << 10
)

// names are those of records that are repeated.
type names struct {
	of    map[int64]string
	read  int // bytes of batches
	bytes int
}

// lookUp finds what records repeat. mu held.
func (p *Part) lookUp(of []Written, out []First) error {
	var n names
	for i := range of {
		f, ok := p.window.Before(of[i].ID, of[i].AtMs, of[i].Offset)
		if !ok {
			continue
		}
		name, err := n.name(p, f.Offset)
		if err != nil {
			return err
		}
		out[i] = First{f.Offset, name}
	}
	return nil
}

// name is that of the record at an offset, "" when it has none. mu of p held.
func (n *names) name(p *Part, offset int64) (string, error) {
	name, ok := n.of[offset]
	if ok && n.bytes+len(name) <= namingTells {
		n.bytes += len(name)
		return name, nil
	}
	if ok || n.read >= namingReads {
		return "", nil
	}
	err := walkLog(p.log, &p.set, offset, offset+1, func(r *reader, at, _ int64) (bool, error) {
		n.read += r.head.Size()
		return false, r.records(func(h *record.Header, x *record.Record) bool {
			if h.BaseOffset+int64(x.OffsetDelta) != at {
				return true
			}
			for k := range x.Headers {
				if v := x.Headers[k].Value; x.Headers[k].Key == MessageID && len(v) <= namingTells {
					name = string(v)
				}
			}
			return false
		})
	})
	if err != nil {
		return "", err
	}
	if n.of == nil {
		n.of = map[int64]string{}
	}
	n.of[offset] = name
	if n.bytes+len(name) > namingTells {
		return "", nil
	}
	n.bytes += len(name)
	return name, nil
}
