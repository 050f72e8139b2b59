package course_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"ottla/internal/event/delivery/course"
)

// restored are the deliveries of a state, as they are kept.
func restored(t *testing.T, s course.State) *course.Lane {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read course.State
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	l, err := course.Restore(read)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// many are deliveries of all kinds.
func many(n int) []course.Item {
	all := make([]course.Item, n)
	for i := range all {
		at := int64(1<<40 + 3*i)
		all[i] = course.Item{Offset: at, PutMs: 1_700_000_000_000 + int64(7*i%5), Group: -1}
		switch i % 5 {
		case 1:
			all[i].Key, all[i].Attempts, all[i].DueMs = 1<<63|uint64(i), i, 1_700_000_100_000
		case 2:
			all[i].Group, all[i].Code, all[i].Why = at, "HTTP_503", "HTTP 503 Service Unavailable: come back later"
		case 3:
			all[i].Spent, all[i].Why = course.ExhaustedAge, fmt.Sprint("reason ", i%2)
		case 4:
			all[i].Group, all[i].Attempts, all[i].DueMs = 0, -1, 1
		}
	}
	return all
}

func TestWhatWaitsIsKeptWhole(t *testing.T) {
	l := course.NewLane()
	l.Items = many(course.MostItems)
	s := l.State()
	if got := restored(t, s).Items; !reflect.DeepEqual(got, many(course.MostItems)) {
		t.Errorf("%d came back: %+v", len(got), got[:min(len(got), 5)])
	}
	if n := len(s.Packed); n > 20_000 {
		t.Errorf("%d deliveries are kept in %d bytes", course.MostItems, n)
	}
}

// What was kept before deliveries were packed is read.
func TestWhatWaitsIsReadAsItWasKeptBefore(t *testing.T) {
	s := course.State{Behind: -1, Waiting: []course.Waiting{{Offset: 7, PutMs: 8, Key: 9, Attempts: 1, DueMs: 10, Group: -1, Code: "C", Why: "w"}}}
	want := []course.Item{{Offset: 7, PutMs: 8, Key: 9, Attempts: 1, DueMs: 10, Group: -1, Code: "C", Why: "w"}}
	if got := restored(t, s).Items; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// Whatever bytes are kept, they are read or refused; what was read is written and read
// as the same.
func FuzzRestore(f *testing.F) {
	l := course.NewLane()
	l.Items = many(10)
	f.Add(l.State().Packed)
	f.Add("AQA=")
	f.Add("")
	f.Fuzz(func(t *testing.T, packed string) {
		l, err := course.Restore(course.State{Behind: -1, Packed: packed})
		if err != nil {
			return
		}
		want := append([]course.Item(nil), l.Items...)
		if got := restored(t, l.State()).Items; len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}
