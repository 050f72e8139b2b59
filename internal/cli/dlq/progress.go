package dlq

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxMetadata is how long the text of a commit may be: offset.metadata.max.bytes
// is 4096 unless somebody lowers it.
const maxMetadata = 4096

// errScattered is a progress that its commit cannot hold.
var errScattered = errors.New("too many letters between those put back still wait for the progress to be kept: put back letters without --where first, or in order")

// Progress is which letters of a partition are done: all below Next, and some
// from there on. The zero value is none.
type Progress struct {
	Next int64
	done []stretch // above Next, ascending, with gaps between them
}

// stretch is offsets from first up to, not including, end.
type stretch struct{ first, end int64 }

func (p *Progress) clone() *Progress { return &Progress{p.Next, slices.Clone(p.done)} }

// Has tells whether the letter at an offset is done.
func (p *Progress) Has(offset int64) bool {
	if offset < p.Next {
		return true
	}
	i, _ := slices.BinarySearchFunc(p.done, offset, func(s stretch, o int64) int {
		if s.end <= o {
			return -1
		}
		return 1
	})
	return i < len(p.done) && p.done[i].first <= offset
}

// Past counts offsets that are done among those from start to, not including,
// end.
func (p *Progress) Past(start, end int64) int64 {
	n := max(0, min(p.Next, end)-start)
	for _, s := range p.done {
		n += max(0, min(s.end, end)-max(s.first, start))
	}
	return n
}

// Add marks offsets from first up to, not including, end.
func (p *Progress) Add(first, end int64) {
	if end <= first || end <= p.Next {
		return
	}
	i, _ := slices.BinarySearchFunc(p.done, first, func(s stretch, o int64) int {
		if s.end < o {
			return -1
		}
		return 1
	})
	j := i
	for j < len(p.done) && p.done[j].first <= end {
		first, end = min(first, p.done[j].first), max(end, p.done[j].end)
		j++
	}
	p.done = slices.Replace(p.done, i, j, stretch{first, end})
	for len(p.done) > 0 && p.done[0].first <= p.Next {
		p.Next = max(p.Next, p.done[0].end)
		p.done = p.done[1:]
	}
}

// form begins the metadata, and names their version.
const form = "ottla-redrive 1 "

// metadata is what is committed beside Next: for each stretch, how many letters
// before it wait, and how many it has.
func (p *Progress) metadata() (string, error) {
	if len(p.done) == 0 {
		return "", nil
	}
	b, at := []byte(form), p.Next
	for i, s := range p.done {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, s.first-at, 10)
		b = append(b, '+')
		b = strconv.AppendInt(b, s.end-s.first, 10)
		at = s.end
		if len(b) > maxMetadata {
			return "", errScattered
		}
	}
	return string(b), nil
}

// parseProgress reads what was committed. Metadata of others are an error:
// a redrive from Next alone would put letters back a second time.
func parseProgress(next int64, metadata string) (*Progress, error) {
	p := &Progress{Next: max(0, next)}
	if metadata == "" {
		return p, nil
	}
	list, ok := strings.CutPrefix(metadata, form)
	if !ok || len(metadata) > 1<<20 {
		return nil, fmt.Errorf("the offset committed for redrives has metadata that are not ours: %.40q", metadata)
	}
	at := p.Next
	for word := range strings.SplitSeq(list, " ") {
		skip, take, ok := strings.Cut(word, "+")
		a, err1 := strconv.ParseUint(skip, 10, 62)
		b, err2 := strconv.ParseUint(take, 10, 62)
		if !ok || err1 != nil || err2 != nil || a == 0 || b == 0 || at+int64(a) < at || at+int64(a)+int64(b) < at {
			return nil, fmt.Errorf("the offset committed for redrives has metadata that cannot be read: %.40q", word)
		}
		first := at + int64(a)
		at = first + int64(b)
		p.done = append(p.done, stretch{first, at})
	}
	return p, nil
}
