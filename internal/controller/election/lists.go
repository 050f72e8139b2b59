package election

import "slices"

// Without is list without those in out, in order; never nil.
func Without(list []int32, out ...int32) []int32 {
	kept := make([]int32, 0, len(list))
	for _, id := range list {
		if !slices.Contains(out, id) {
			kept = append(kept, id)
		}
	}
	return kept
}

// within are those of order that are in one of the lists, in that order.
func within(order []int32, lists ...[]int32) []int32 {
	kept := make([]int32, 0, len(order))
	for _, id := range order {
		if slices.ContainsFunc(lists, func(l []int32) bool { return slices.Contains(l, id) }) {
			kept = append(kept, id)
		}
	}
	return kept
}

// has tells whether all of part are in list.
func has(list, part []int32) bool {
	return !slices.ContainsFunc(part, func(id int32) bool { return !slices.Contains(list, id) })
}
