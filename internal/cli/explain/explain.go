package explain

import (
	"slices"
	"strconv"
	"strings"

	"ottla/internal/config"
	"ottla/internal/wire"
)

// Error is what is known of an error code.
type Error struct {
	Code      int16
	Name      string // Kafka's, such as UNKNOWN_TOPIC_OR_PARTITION
	Meaning   string
	Retriable bool     // clients try again by themselves
	Causes    []string // what usually is behind it, likeliest first; nil when the meaning says all
	Mends     []string // what to do or run
}

// Errors explains every code of the protocol, by number.
func Errors() []Error {
	var out []Error
	for n := int16(wire.UnknownServerError); ; n++ {
		c := wire.Code(n)
		if strings.HasPrefix(c.Name(), "UNKNOWN_CODE_") {
			return out
		}
		e := Error{Code: n, Name: c.Name(), Meaning: c.Text(), Retriable: c.Retriable()}
		if c == wire.None {
			e.Meaning = "no error"
		}
		if a, ok := advice[c]; ok {
			e.Causes, e.Mends = a.causes, a.mends
		}
		out = append(out, e)
	}
}

// FindError explains a code given as a number (3), by Kafka's name (with any
// case, - for _) or as a Java client names the exception
// (UnknownTopicOrPartitionException, with or without its package).
func FindError(word string) (Error, bool) {
	all := Errors()
	if n, err := strconv.ParseInt(word, 10, 16); err == nil {
		i := slices.IndexFunc(all, func(e Error) bool { return int64(e.Code) == n })
		if i < 0 {
			return Error{}, false
		}
		return all[i], true
	}
	if i := strings.LastIndexByte(word, '.'); i >= 0 {
		word = word[i+1:]
	}
	wanted := squeeze(word)
	if java, ok := strings.CutSuffix(wanted, "exception"); ok {
		if name, odd := javaNames[java]; odd {
			java = squeeze(name)
		}
		wanted = java
	}
	for _, e := range all {
		if name := squeeze(e.Name); name == wanted || strings.TrimSuffix(name, "exception") == wanted {
			return e, true
		}
	}
	return Error{}, false
}

// squeeze makes spellings of one name equal.
func squeeze(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}

// javaNames are the exceptions of Kafka's Java client whose names do not follow
// from the code's name.
var javaNames = map[string]string{
	"recordtoolarge": "MESSAGE_TOO_LARGE", "topicexists": "TOPIC_ALREADY_EXISTS", "timeout": "REQUEST_TIMED_OUT",
	"unknownserver": "UNKNOWN_SERVER_ERROR", "invalidconfiguration": "INVALID_CONFIG", "invalidtopic": "INVALID_TOPIC_EXCEPTION",
	"recordbatchtoolarge": "RECORD_LIST_TOO_LARGE", "kafkastorage": "KAFKA_STORAGE_ERROR", "outofordersequence": "OUT_OF_ORDER_SEQUENCE_NUMBER",
	"notleaderforpartition": "NOT_LEADER_OR_FOLLOWER", "corruptrecord": "CORRUPT_MESSAGE", "coordinatorloadinprogress": "COORDINATOR_LOAD_IN_PROGRESS",
	"disconnect": "NETWORK_EXCEPTION", "commitfailed": "ILLEGAL_GENERATION", "groupnotempty": "NON_EMPTY_GROUP",
}

// FindSettings gives every setting of that name: a topic's and a broker's may
// share one.
func FindSettings(name string) []*config.Def {
	var out []*config.Def
	for _, s := range scopes {
		if d := config.Lookup(s, name); d != nil {
			out = append(out, d)
		}
	}
	return out
}

var scopes = []config.Scope{config.ScopeTopic, config.ScopeBroker, config.ScopeGroup, config.ScopeClientMetrics, config.ScopeQuota}

// Nearest proposes what a word that means nothing may have been meant to be.
func Nearest(word string) string {
	if strings.ContainsRune(word, '.') {
		for _, s := range scopes {
			if n := config.Nearest(s, word); n != "" {
				return n
			}
		}
		return ""
	}
	wanted := squeeze(word)
	for _, e := range Errors() {
		if wanted != "" && strings.Contains(squeeze(e.Name), wanted) {
			return e.Name
		}
	}
	return ""
}

// Words lists everything that can be explained, for completion.
func Words() []string {
	var out []string
	for _, e := range Errors() {
		out = append(out, e.Name)
	}
	for _, s := range scopes {
		for _, d := range config.All(s) {
			out = append(out, d.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
