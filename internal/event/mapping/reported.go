package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
)

// errReport says that an answer names what the function did not get: all of the batch has
// failed then, as Lambda has it.
var errReport = errors.New("the function reported an itemIdentifier that is none of its batch")

// report is what a function may answer of a batch.
type report struct {
	Failures []struct {
		Item json.RawMessage `json:"itemIdentifier"`
	} `json:"batchItemFailures"`
}

func readReport(answer []byte) (*report, error) {
	r := &report{}
	if len(answer) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(answer, r); err != nil {
		return nil, fmt.Errorf("the function's answer is not {\"batchItemFailures\":[…]}: %w", err)
	}
	return r, nil
}

// failedMessages are the messages, by their ids, that a function says have failed.
func failedMessages(answer []byte, ids []string) (map[string]bool, error) {
	r, err := readReport(answer)
	if err != nil {
		return nil, err
	}
	sent := map[string]bool{}
	for _, id := range ids {
		sent[id] = true
	}
	failed := map[string]bool{}
	for _, f := range r.Failures {
		var id string
		if json.Unmarshal(f.Item, &id) != nil || !sent[id] {
			return nil, errReport
		}
		failed[id] = true
	}
	return failed, nil
}

// firstFailed is the lowest offset that a function says has failed of a partition's
// records; -1 for none.
func firstFailed(answer []byte, partition string, offsets []int64) (int64, error) {
	r, err := readReport(answer)
	if err != nil {
		return -1, err
	}
	sent := map[int64]bool{}
	for _, o := range offsets {
		sent[o] = true
	}
	first := int64(-1)
	for _, f := range r.Failures {
		var item struct {
			TopicPartition string `json:"topic-partition"`
			Partition      string `json:"partition"`
			Offset         *int64 `json:"offset"`
		}
		if json.Unmarshal(f.Item, &item) != nil || item.Offset == nil || !sent[*item.Offset] {
			return -1, errReport
		}
		if of := item.TopicPartition + item.Partition; of != partition {
			return -1, errReport
		}
		if first < 0 || *item.Offset < first {
			first = *item.Offset
		}
	}
	return first, nil
}
