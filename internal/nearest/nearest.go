package nearest

import "strings"

// Of is the one of known that is nearest to a word, the first of several: the word itself
// where it is known. "" when none is a slip away. Case does not count.
func Of(word string, known []string) string {
	best, limit := "", slips(len(word))+1
	folded := strings.ToLower(word)
	for _, k := range known {
		if d := distance(folded, strings.ToLower(k), limit); d < limit {
			best, limit = k, d
		}
	}
	return best
}

// slips is how many bytes of a word so long may be wrong. Of a short one every third: two
// of five would make another word of it. Of a long one, which has parts that others have
// too (log.retention.ms), one in five.
func slips(length int) int { return min(length/3, 1+length/5) }

// mostCompared bounds the words whose distance is worked out: names and fields are shorter,
// and what a client sent may be a megabyte.
const mostCompared = 256

// distance counts the bytes to put in, leave out, change, and swap with their neighbours,
// to make one word of another; it is limit or more when it is not below.
func distance(a, b string, limit int) int {
	if len(a) > mostCompared || len(b) > mostCompared || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
