package course

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Seat is the place of a runner.
type Seat struct {
	Source    string // the id of the source's object
	Partition int32
}

// Key is the key of the seat's Main, and begins those of all its records.
func (s Seat) Key() string { return s.Source + "/" + strconv.Itoa(int(s.Partition)) }

// The kinds of a seat's records, between its key and what they are of.
const (
	ruleKind   = "rule/"
	branchKind = "branch/"
	replayKind = "replay/"
)

// RuleKey, BranchKey and ReplayKey are the keys of records.
func (s Seat) RuleKey(rule string) string { return s.Key() + "/" + ruleKind + rule }

// BranchKey is the key of a branch.
func (s Seat) BranchKey(n Name) string { return s.Key() + "/" + branchKind + n.Replay + "/" + n.Target }

// ReplayKey is the key of a replay.
func (s Seat) ReplayKey(id string) string { return s.Key() + "/" + replayKind + id }

// SeatOf tells whose record a key is of: its seat's key, and what follows that.
func SeatOf(key string) (seat, rest string) {
	source, rest, ok := strings.Cut(key, "/")
	if !ok {
		return key, ""
	}
	partition, rest, _ := strings.Cut(rest, "/")
	return source + "/" + partition, rest
}

// Main is the cursor of the pass.
type Main struct {
	// At is the offset to go on from: everything below it is decided for all
	// targets in the pass.
	At int64 `json:"at"`
	// TimeMs is the time of the last record below At; 0 is unknown.
	TimeMs int64 `json:"time,omitempty"`
	// Topic is the id of the topic; one that is made anew begins anew.
	Topic string `json:"topic,omitempty"`
}

// Rule is a rule that was taken up.
type Rule struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	// Targets are the offsets from which each holds, by its id within the rule.
	Targets map[string]int64 `json:"targets"`
}

// Name names a branch: a target by its Key, in a replay by its id or ("") live.
type Name struct{ Replay, Target string }

// Branch is a target with a cursor of its own.
type Branch struct {
	At int64 `json:"at"`
	// Until ends it: it is of a replay. 0: it rejoins the pass.
	Until int64 `json:"until,omitempty"`
	// SinceMs is when the target first failed; 0: it has not.
	SinceMs int64 `json:"since,omitempty"`
	// Attempts have failed at the event at At, the last because of Why.
	Attempts int    `json:"attempts,omitempty"`
	Why      string `json:"why,omitempty"`
}

// Over tells whether a branch is at its end; one that is live never is.
func (b Branch) Over() bool { return b.Until != 0 && b.At >= b.Until }

// Replay is how far a replay is. Its key has its id: what another of the name left, or
// still writes, is not its own.
type Replay struct {
	Name string `json:"name"` // for those who look
	At   int64  `json:"at"`
	Done bool   `json:"done,omitempty"`
	// Events were read that are the replay's.
	Events int64 `json:"events,omitempty"`
}

// State is all that a runner remembers.
type State struct {
	Main     *Main // nil before there was one
	Rules    map[string]Rule
	Branches map[Name]Branch
	Replays  map[string]Replay // by id

	last last // not of the records: what Take has seen
}

// Read makes a State of the records of a seat: their values, by what follows the
// seat's key. Keys that mean nothing are passed over.
func Read(records map[string][]byte) (State, error) {
	s := State{Rules: map[string]Rule{}, Branches: map[Name]Branch{}, Replays: map[string]Replay{}}
	for rest, value := range records {
		if err := s.read(rest, value); err != nil {
			return s, fmt.Errorf("the record %q: %w", rest, err)
		}
	}
	return s, nil
}

func (s *State) read(rest string, value []byte) error {
	kind, of, _ := strings.Cut(rest, "/")
	switch kind + "/" {
	case "/":
		s.Main = &Main{}
		return json.Unmarshal(value, s.Main)
	case ruleKind:
		return add(s.Rules, of, value)
	case replayKind:
		return add(s.Replays, of, value)
	case branchKind:
		replay, target, ok := strings.Cut(of, "/")
		if !ok {
			return nil
		}
		return add(s.Branches, Name{replay, target}, value)
	}
	return nil
}

func add[K comparable, V any](to map[K]V, key K, value []byte) error {
	var v V
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	to[key] = v
	return nil
}

// Note is a record to be written: its key, and what it says; nil takes it back.
type Note struct {
	Key   string
	Value any
}

// Bytes are the note's value as it is stored, nil for a tombstone.
func (n Note) Bytes() ([]byte, error) {
	if n.Value == nil {
		return nil, nil
	}
	b, err := json.Marshal(n.Value)
	if err != nil {
		return nil, fmt.Errorf("the record %s: %w", n.Key, err)
	}
	return b, nil
}
