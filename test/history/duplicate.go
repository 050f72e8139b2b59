package history

// duplicate forbids one value at two offsets where producers are idempotent,
// and counts it where they are not.
func duplicate(v *view, r *Report) {
	type place struct {
		partition string
		offset    int64
	}
	first := make(map[int64]place, len(v.writes))
	for _, name := range v.names {
		for _, s := range v.parts[name].sightings {
			p, known := first[s.value]
			switch {
			case !known:
				first[s.value] = place{name, s.offset}
			case v.opts.Idempotent:
				r.add("duplicate", "%d is at %s offset %d and at %s offset %d", s.value, p.partition, p.offset, name, s.offset)
			default:
				r.Noted["duplicate"]++
			}
		}
	}
}
