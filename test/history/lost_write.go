package history

// lostWrite forbids an acknowledged send, at or below the highest polled offset
// of its partition, that nobody polled.
func lostWrite(v *view, r *Report) {
	for _, w := range v.writes {
		if w.outcome == OK && !w.seen && w.offset >= 0 && w.offset <= w.partition.highest {
			r.add("lost-write", "%d, acknowledged at %s offset %d, was polled by nobody, and offset %d was",
				w.value, w.partition.name, w.offset, w.partition.highest)
		}
	}
}
