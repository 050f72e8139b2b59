package history

// inconsistentOffsets forbids two values at one offset of a partition, over all
// acknowledgements and polls.
func inconsistentOffsets(v *view, r *Report) {
	for _, name := range v.names {
		s := v.parts[name].sightings
		for i := 1; i < len(s); i++ {
			if s[i].offset == s[i-1].offset {
				r.add("inconsistent-offsets", "%s offset %d holds %d (operation %d) and %d (operation %d)",
					name, s[i].offset, s[i-1].value, s[i-1].op, s[i].value, s[i].op)
			}
		}
	}
}
