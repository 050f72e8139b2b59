package relay

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The progress topic has records of two keys: what a relay wrote last, and that one has
// started. The latter is how the end of the topic is found: whoever reads up to what he
// has just written has read all that was committed before. It says whose the name is as
// long as nothing is written.
const (
	keyRows    = "rows"
	keyStarted = "started"
)

// progress is the value of keyRows.
type progress struct {
	Version int      `json:"version"`
	Table   string   `json:"table"`
	IDs     []any    `json:"ids"`  // int64 or string
	Sums    []string `json:"sums"` // of the rows of these ids
}

const progressVersion = 1

// start is the value of keyStarted. That of earlier releases was a time alone.
type start struct {
	Table string `json:"table"`
	At    string `json:"at"`
}

// startedTable is the table of whoever started; "" where that is not said.
func startedTable(value []byte) string {
	var s start
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s.Table
}

func (p *progress) encode() ([]byte, error) {
	p.Version = progressVersion
	return json.Marshal(p)
}

func (p *progress) written() []Written {
	out := make([]Written, len(p.IDs))
	for i := range out {
		out[i] = Written{p.IDs[i], p.Sums[i]}
	}
	return out
}

// decodeProgress reads what another run wrote, perhaps of another release.
func decodeProgress(value []byte) (*progress, error) {
	var p progress
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	if p.Version != progressVersion {
		return nil, fmt.Errorf("version is %d, and this release knows %d", p.Version, progressVersion)
	}
	if len(p.Sums) != len(p.IDs) {
		return nil, fmt.Errorf("it has %d ids and %d sums", len(p.IDs), len(p.Sums))
	}
	for i, id := range p.IDs {
		switch id := id.(type) {
		case string:
		case json.Number:
			n, err := id.Int64()
			if err != nil {
				return nil, fmt.Errorf("id %s is no whole number", id)
			}
			p.IDs[i] = n
		default:
			return nil, fmt.Errorf("id %v is no number and no text", id)
		}
	}
	return &p, nil
}
