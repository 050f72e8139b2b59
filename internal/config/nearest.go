package config

import "strings"

// Nearest proposes the known name nearest to a mistyped one, "" when none is
// near. A name written with "_" or "-" for ".", or one of a topic given where
// the broker's belongs (retention.ms for log.retention.ms), counts as near.
func Nearest(s Scope, name string) string {
	plain := strings.ToLower(strings.NewReplacer("_", ".", "-", ".").Replace(name))
	if s == ScopeBroker {
		if t := Lookup(ScopeTopic, plain); t != nil && len(t.Synonyms) > 0 {
			return t.Synonyms[0]
		}
	}
	if s == ScopeTopic {
		for _, d := range All(ScopeTopic) {
			if contains(d.Synonyms, plain) {
				return d.Name
			}
		}
	}
	best, bestName := 2+len(plain)/5, ""
	for _, d := range All(s) {
		if n := editDistance(plain, d.Name, best); n < best {
			best, bestName = n, d.Name
		}
	}
	return bestName
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours that turn a into b; it gives up and returns limit when the
// lengths alone need as many.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}
