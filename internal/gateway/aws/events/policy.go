package events

import (
	"context"
	"encoding/json"
	"slices"

	"ottla/internal/event/bus"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

// mostPolicy is how long a bus's policy may be, as at AWS.
const mostPolicy = 10_240

// policy is a bus's policy. What is not known of it is kept as it is.
type policy struct {
	Version    string            `json:"Version"`
	ID         string            `json:"Id,omitempty"`
	Statements []json.RawMessage `json:"Statement"`
}

// statement is what PutPermission makes of an account.
type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"`
	Action    string                       `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// readPolicy reads a policy; a lone statement is a list of one.
func readPolicy(text string) (policy, error) {
	p := policy{Version: "2012-10-17"}
	if text == "" {
		return p, nil
	}
	err := json.Unmarshal([]byte(text), &p)
	if err == nil {
		return p, nil
	}
	var one struct {
		Version   string          `json:"Version"`
		ID        string          `json:"Id"`
		Statement json.RawMessage `json:"Statement"`
	}
	if json.Unmarshal([]byte(text), &one) != nil || len(one.Statement) == 0 || one.Statement[0] != '{' {
		return p, err
	}
	return policy{one.Version, one.ID, []json.RawMessage{one.Statement}}, nil
}

// sid is a statement's name.
func sid(raw json.RawMessage) string {
	var s struct{ Sid string }
	_ = json.Unmarshal(raw, &s) // what is no statement has no name
	return s.Sid
}

// denies tells whether a policy has a statement that denies.
func denies(text string) bool {
	p, err := readPolicy(text)
	return err == nil && slices.ContainsFunc(p.Statements, func(raw json.RawMessage) bool {
		var s struct{ Effect string }
		return json.Unmarshal(raw, &s) == nil && s.Effect == "Deny"
	})
}

func (p policy) String() string {
	if len(p.Statements) == 0 {
		return ""
	}
	text, err := json.Marshal(p)
	if err != nil { // raw parts were read as JSON
		return ""
	}
	return string(text)
}

type condition struct {
	Type  string `json:"Type"`
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

type permissionIn struct {
	Bus       string     `json:"EventBusName"`
	Action    string     `json:"Action"`
	Principal string     `json:"Principal"`
	Statement string     `json:"StatementId"`
	Condition *condition `json:"Condition"`
	Policy    string     `json:"Policy"`
}

var (
	actions    = constraint.MustPattern(`events:[a-zA-Z]+`)
	principals = constraint.MustPattern(`(\d{12}|\*)`)
)

func (in *permissionIn) check() error {
	var b broken
	b.optional("eventBusName", in.Bus, maxBusName, anyName)
	if in.Policy != "" {
		return b.Err()
	}
	b.named("action", in.Action, maxName, actions)
	b.named("principal", in.Principal, 12, principals)
	b.named("statementId", in.Statement, maxName, statementID)
	if w := in.Condition; w != nil {
		for member, value := range map[string]string{"condition.type": w.Type, "condition.key": w.Key, "condition.value": w.Value} {
			if value == "" {
				b.Null(member)
			}
		}
		slices.Sort(b.Broken)
	}
	return b.Err()
}

func (in *permissionIn) statement(ref bus.Ref) statement {
	s := statement{Sid: in.Statement, Effect: "Allow", Principal: "*", Action: in.Action, Resource: ref.ARN()}
	if in.Principal != "*" {
		s.Principal = map[string]string{"AWS": "arn:aws:iam::" + in.Principal + ":root"}
	}
	if w := in.Condition; w != nil {
		s.Condition = map[string]map[string]string{w.Type: {w.Key: w.Value}}
	}
	return s
}

func (d door) putPermission(ctx context.Context, c *protocol.Call, in *permissionIn) (*protocol.Nothing, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	ref, err := busOf(c, in.Bus)
	if err != nil {
		return nil, err
	}
	put := func(p *policy) error { return p.put(in.statement(ref)) }
	if in.Policy != "" {
		whole, err := readPolicy(in.Policy)
		if err != nil {
			return nil, invalid("This policy contains invalid Json")
		}
		put = func(p *policy) error { *p = whole; return nil }
	}
	now, err := d.changePolicy(ctx, ref, put)
	if err == nil {
		d.warnOfDeny(now.Policy)
	}
	return nil, err
}

// put puts a statement, in the place of the one of its name.
func (p *policy) put(s statement) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if at := slices.IndexFunc(p.Statements, func(raw json.RawMessage) bool { return sid(raw) == s.Sid }); at >= 0 {
		p.Statements[at] = text
		return nil
	}
	p.Statements = append(p.Statements, text)
	return nil
}

// changePolicy changes a bus's policy.
func (d door) changePolicy(ctx context.Context, ref bus.Ref, change func(*policy) error) (bus.Bus, error) {
	now, err := d.buses.Update(ctx, ref, func(s *bus.Spec) error {
		p, err := readPolicy(s.Policy)
		if err != nil { // of another door
			p, _ = readPolicy("")
		}
		if err := change(&p); err != nil {
			return err
		}
		if s.Policy = p.String(); len(s.Policy) > mostPolicy {
			return protocol.Errorf("PolicyLengthExceededException", "The policy has %d bytes; %d are possible.", len(s.Policy), mostPolicy)
		}
		return nil
	})
	return now, refuse("Event bus "+ref.Name, err)
}

type removePermissionIn struct {
	Bus       string `json:"EventBusName"`
	Statement string `json:"StatementId"`
	All       bool   `json:"RemoveAllPermissions"`
}

func (d door) removePermission(ctx context.Context, c *protocol.Call, in *removePermissionIn) (*protocol.Nothing, error) {
	var b broken
	b.optional("eventBusName", in.Bus, maxBusName, anyName)
	if !in.All {
		b.named("statementId", in.Statement, maxName, statementID)
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	ref, err := busOf(c, in.Bus)
	if err != nil {
		return nil, err
	}
	_, err = d.changePolicy(ctx, ref, func(p *policy) error {
		if in.All {
			p.Statements = nil
			return nil
		}
		if len(p.Statements) == 0 {
			return protocol.Errorf(notFound, "EventBus does not have a policy.")
		}
		before := len(p.Statements)
		p.Statements = slices.DeleteFunc(p.Statements, func(raw json.RawMessage) bool { return sid(raw) == in.Statement })
		if len(p.Statements) == before {
			return protocol.Errorf(notFound, "Statement with the provided id does not exist.")
		}
		return nil
	})
	return nil, err
}
