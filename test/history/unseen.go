package history

// unseen forbids an acknowledged send that stays unread after the final polls:
// a lost tail, or a last stable offset that is stuck.
func unseen(v *view, r *Report) {
	if !v.final {
		return
	}
	for _, w := range v.writes {
		if w.outcome == OK && !w.seen && w.offset > w.partition.highest || w.outcome == OK && !w.seen && w.offset < 0 {
			r.add("unseen", "%d, acknowledged at %s offset %d, was not there at the end (read up to offset %d)",
				w.value, w.partition.name, w.offset, w.partition.highest)
		}
	}
}
