package native

import (
	"slices"
	"strings"
)

// hints are what doors advise, in requests, and what that is in commands.
var hints = map[string]string{
	"make it with PUT /q/NAME, or see GET /q":                          `make it with "ottla queue create NAME", or see "ottla queue list"`,
	"change it with PATCH /q/NAME":                                     `change it with "ottla queue alter NAME"`,
	"see GET /q/NAME/moves":                                            `see "ottla queue move list NAME"`,
	"see GET /schedule, and of groups GET /schedule-group":             `see "ottla schedule list"`,
	"see GET /schedule-group":                                          `see "ottla schedule list"`,
	"see GET /bus and GET /rule":                                       `see "ottla bus list" and "ottla rule list"; --bus says which bus a rule is of, default unless it is said`,
	"see GET /connection and GET /destination":                         `see "ottla connection list" and "ottla destination list"`,
	"see GET /mapping":                                                 `see "ottla function list"`,
	"see GET /sns":                                                     `see "ottla sns list"`,
	"change it with PUT":                                               "put it again: it becomes as it is told, whole",
	"start another with PUT /replay/NAME":                              `start another with "ottla replay start"`,
	"?force=true deletes what it has with it":                          "--force deletes what it has with it",
	"change or delete that first; ?force=true deletes it all the same": "change or delete that first; --force deletes it all the same",
}

// ofKinds are hints that mean another command for each kind of thing, by the beginning of
// its path.
var ofKinds = map[string]map[string]string{
	"see GET /bus and GET /rule": {
		"replay": `see "ottla replay list" and "ottla bus list"`, "archive": `see "ottla archive list" and "ottla bus list"`,
	},
	"?force=true deletes what it has with it": {"rule": "without --unless-targets they are deleted with it"},
	"change it with PATCH": {
		"bus": `change it with "ottla bus alter NAME"`, "archive": `take another name, or change it with "ottla apply"`,
		"replay": `take another name, or delete it with "ottla replay delete NAME"`,
	},
}

// inCommands is a hint for who uses commands and not requests.
func inCommands(hint, path string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if kind == "bus" && strings.Contains(path, "/rules/") {
		kind = "rule"
	}
	if own := ofKinds[hint][kind]; own != "" {
		return own
	}
	if words := hints[hint]; words != "" {
		return words
	}
	if slices.ContainsFunc([]string{"GET /", "PUT /", "PATCH", "POST /", "?"}, func(s string) bool { return strings.Contains(hint, s) }) {
		return "" // nothing that can be typed here
	}
	return hint
}
