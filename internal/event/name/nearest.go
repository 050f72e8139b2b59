package name

import "strings"

// Nearest is the word that is most like another, if it is a slip away: "" else.
func Nearest(word string, known []string) string {
	best, least := "", 1+len(word)/3
	for _, k := range known {
		if strings.EqualFold(word, k) && word != k {
			return k
		}
		if d := distance(word, k, least); d < least && k != word {
			best, least = k, d
		}
	}
	return best
}

// mostCompared bounds the words whose distance is worked out.
const mostCompared = 128

// distance counts the characters to change, leave out or put in to make one word
// of another; it is limit or more when it is not below.
func distance(a, b string, limit int) int {
	if len(a) > mostCompared || len(b) > mostCompared || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
