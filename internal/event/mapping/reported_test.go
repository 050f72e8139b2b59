package mapping

import (
	"errors"
	"testing"
)

func TestWhatAFunctionReports(t *testing.T) {
	for answer, want := range map[string]int64{
		"": -1, "{}": -1, `{"batchItemFailures":[]}`: -1, `{"batchItemFailures":null}`: -1, `"done"`: -2, `{"batchItemFailures":[{}]}`: -2, `x`: -2,
		`{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":8}}]}`: 8, `{"batchItemFailures":[{"itemIdentifier":{"topic-partition":"t-0","offset":7}}]}`: 7,
		`{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":9}}]}`: -2, `{"batchItemFailures":[{"itemIdentifier":{"partition":"t-1","offset":8}}]}`: -2,
		`{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0"}}]}`: -2, `{"batchItemFailures":[{"itemIdentifier":""}]}`: -2,
	} {
		got, err := firstFailed([]byte(answer), "t-0", []int64{7, 8})
		if err != nil {
			got = -2
		}
		if got != want {
			t.Errorf("%s: %d, %v; want %d", answer, got, err, want)
		}
	}
	for answer, want := range map[string]int{
		"": 0, `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"a"}]}`: 1, `{"batchItemFailures":[{"itemIdentifier":"c"}]}`: -1, `{"batchItemFailures":[{"itemIdentifier":""}]}`: -1,
	} {
		got, err := failedMessages([]byte(answer), []string{"a", "b"})
		if n := len(got); err == nil && n != want || err != nil && want != -1 {
			t.Errorf("%s: %v, %v; want %d", answer, got, err, want)
		}
	}
}

// Whatever a function answers, what is taken for failed was in its batch.
func FuzzReported(f *testing.F) {
	f.Add([]byte(`{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":8}}]}`))
	f.Add([]byte(`{"batchItemFailures":[{"itemIdentifier":"a"}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if at, err := firstFailed(answer, "t-0", []int64{7, 8}); at != -1 && at != 7 && at != 8 || err != nil && at != -1 {
			t.Errorf("%d, %v", at, err)
		}
		failed, err := failedMessages(answer, []string{"a", "b"})
		for id := range failed {
			if err != nil || id != "a" && id != "b" {
				t.Errorf("%q, %v", id, err)
			}
		}
		if err != nil && len(failed) > 0 || errors.Is(err, errReported) {
			t.Errorf("%v, %v", failed, err)
		}
	})
}
