package notice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Protocols are those that a subscription may have.
var Protocols = []string{SQS, HTTP, HTTPS, Lambda, Kafka}

// The protocols. Kafka is a topic of Kafka's, which SNS has not.
const (
	SQS    = "sqs"
	HTTP   = "http"
	HTTPS  = "https"
	Lambda = "lambda"
	Kafka  = "kafka"
)

// Structured takes a Message whose body is the JSON of MessageStructure: it is an
// object with the bodies of protocols, and "default" for the others. What is no text
// and what belongs to no protocol is left out, as SNS does.
func (m *Message) Structured(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("the message is no JSON object, which the structure json wants")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("the message is no JSON: %w", err)
		}
		name, _ := t.(string)
		if seen[name] {
			return fmt.Errorf("the message has %q twice", name)
		}
		seen[name] = true
		var value any
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("the message is no JSON: %w", err)
		}
		body, isText := value.(string)
		switch {
		case name == "default" && isText:
			m.Body = []byte(body)
		case name == "default":
			return fmt.Errorf("the message's %q is no text", name)
		case isText && slices.Contains(Protocols, name):
			m.Bodies = append(m.Bodies, Body{name, body})
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("the message is no JSON: %w", err)
	}
	if rest := strings.TrimSpace(string(text[d.InputOffset():])); rest != "" {
		return fmt.Errorf("the message has more behind its JSON object")
	}
	if !seen["default"] {
		return fmt.Errorf("the message has no %q", "default")
	}
	slices.SortFunc(m.Bodies, func(a, b Body) int { return strings.Compare(a.Protocol, b.Protocol) })
	return nil
}
