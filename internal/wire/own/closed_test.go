package own

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// closedLogs are lists of them, none too.
func closedLogs() [][]ClosedLog {
	return [][]ClosedLog{nil, {{"orders", 3, "the disk is full"}}, {{"a", 0, ""}, {"", -1, "x"}}}
}

func TestClosedLogsTravelInTags(t *testing.T) {
	for _, want := range closedLogs() {
		var tags kmsg.Tags
		SetClosed(&tags, want)
		if got, err := ReadClosed(&tags); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v come back as %v, %v", want, got, err)
		}
	}
	var bad kmsg.Tags
	bad.Set(TagClosed, []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	if got, err := ReadClosed(&bad); err == nil {
		t.Errorf("more than the bytes can hold: %v", got)
	}
}

func FuzzClosed(f *testing.F) {
	for _, list := range closedLogs() {
		var tags kmsg.Tags
		SetClosed(&tags, list)
		f.Add(tag(&tags, TagClosed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var tags, again kmsg.Tags
		tags.Set(TagClosed, b)
		list, err := ReadClosed(&tags)
		if err != nil {
			return
		}
		SetClosed(&again, list)
		if got, err := ReadClosed(&again); err != nil || !slices.Equal(got, list) {
			t.Errorf("%v come back as %v, %v", list, got, err)
		}
	})
}
