package tracker

import "slices"

// wait is somebody who waits for all that serve to have applied an offset.
type wait struct {
	id     uint64
	offset int64
}

// Applied is the offset that every unfenced node has applied; true when there
// is none to wait for.
func (t *Tracker) Applied() (offset int64, all bool) {
	all = true
	for _, n := range t.nodes {
		if !n.Fenced && (all || n.applied < offset) {
			offset, all = n.applied, false
		}
	}
	return offset, all
}

// Await enters who waits for an offset under an id of its own.
func (t *Tracker) Await(id uint64, offset int64) { t.waits = append(t.waits, wait{id, offset}) }

// Forget takes out who waits no longer.
func (t *Tracker) Forget(id uint64) {
	t.waits = slices.DeleteFunc(t.waits, func(w wait) bool { return w.id == id })
}

// Ready takes out, in the order in which they came, those who have waited long
// enough. Ask after every Seen and every Image.
func (t *Tracker) Ready() (ids []uint64) {
	if len(t.waits) == 0 {
		return nil
	}
	offset, all := t.Applied()
	t.waits = slices.DeleteFunc(t.waits, func(w wait) bool {
		done := all || w.offset <= offset
		if done {
			ids = append(ids, w.id)
		}
		return done
	})
	return ids
}
