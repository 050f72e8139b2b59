package sqs

import (
	"strings"

	"ottla/internal/gateway/aws/protocol"
)

const maxEntries = 10

// Failed is an entry of a batch that was refused.
type Failed struct {
	ID          string `json:"Id"`
	SenderFault bool   `json:"SenderFault"`
	Code        string `json:"Code"`
	Message     string `json:"Message,omitempty"`
}

func failed(id string, err error) Failed {
	e := protocol.AsError(err)
	return Failed{ID: id, SenderFault: e.HTTPStatus() < 500, Code: e.QueryCode(), Message: e.Message}
}

// succeeded is an entry that was done.
type succeeded struct {
	ID string `json:"Id"`
}

// checkBatch checks how many entries a batch has and how they are called.
func checkBatch[E any](kind string, entries []E, id func(E) string) error {
	switch {
	case len(entries) == 0:
		return refusal("EmptyBatchRequest", "There should be at least one %sBatchRequestEntry in the request.", kind)
	case len(entries) > maxEntries:
		return refusal("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxEntries, len(entries))
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		i := id(e)
		if i == "" || len(i) > 80 || strings.Trim(strings.ToLower(i), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return refusal("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[i] {
			return refusal("BatchEntryIdsNotDistinct", "Id %s repeated.", i)
		}
		seen[i] = true
	}
	return nil
}
