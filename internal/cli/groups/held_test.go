package groups

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

const heldPage = `# HELP ottla_share_parked_keys Keys.
# TYPE ottla_share_parked_keys gauge
ottla_share_parked_keys{group="g",partition="1",topic="t"} 1
ottla_share_parked_keys{group="h",partition="1",topic="t"} 7
ottla_share_parked_keys{group="g",partition="x",topic="t"} 7
ottla_share_acquired_records{group="g",partition="1",topic="t"} 12
ottla_share_acquired_records{group="g",partition="0",topic="t"} 3
ottla_share_redelivered_records{group="g",partition="1",topic="t"} 5
ottla_share_delayed_records{group="g",partition="1",topic="t"} 4
ottla_share_dying_records{group="g",partition="1",topic="t"} 2
ottla_share_dying_records{group="a\\\"}\n",partition="1",topic="t"} 1e+06
ottla_share_dead_letters_total 9
ottla_group_members{group="g"} 2
`

func TestWhatAGroupHoldsIsReadFromThePage(t *testing.T) {
	want := []Held{{TopicPartition: TopicPartition{"t", 0}, Acquired: 3},
		{TopicPartition: TopicPartition{"t", 1}, Acquired: 12, Redelivered: 5, Delayed: 4, Parked: 1, Dying: 2}}
	if got := parseHeld(heldPage, "g"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := parseHeld(heldPage, "a\\\"}\n"); len(got) != 1 || got[0].Dying != 1_000_000 {
		t.Errorf("of a group with a difficult name: %+v", got)
	}
	if got := parseHeld(heldPage, "nobody"); got != nil {
		t.Errorf("of nobody: %+v", got)
	}
}

func FuzzHeld(f *testing.F) {
	f.Add(heldPage, "g")
	f.Add(`ottla_share_x{group="\`, "")
	f.Add(`ottla_share_x{="",="`, "")
	f.Fuzz(func(t *testing.T, page, group string) {
		rows := parseHeld(page, group)
		if len(rows) > strings.Count(page, "ottla_share_") {
			t.Errorf("%d rows of %q", len(rows), page)
		}
		for i := 1; i < len(rows); i++ {
			if compare(rows[i-1].TopicPartition, rows[i].TopicPartition) >= 0 {
				t.Errorf("%+v before %+v of %q", rows[i-1], rows[i], page)
			}
		}
	})
}

func TestANodeWithoutThePageIsAnError(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(s.URL, "http://")
	if _, err := ReadHeld(context.Background(), address, "g"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("404 gives %v", err)
	}
	s.Close()
	if _, err := ReadHeld(context.Background(), address, "g"); err == nil {
		t.Error("nobody answers, and that is no error")
	}
	if _, err := ReadHeld(context.Background(), "a b", "g"); err == nil {
		t.Error("an address that is none is no error")
	}
}
