package sqs

import (
	"encoding/json"
	"strconv"

	"ottla/internal/event/queue"
)

// redrive is the JSON of RedrivePolicy. The number may be written as a text,
// as SDKs have done.
type redrive struct {
	Target string      `json:"deadLetterTargetArn"`
	Most   json.Number `json:"maxReceiveCount"`
}

const maxReceives = 1000

func redrivePolicy(q *queue.Queue) string {
	if q.DeadLetter == nil {
		return ""
	}
	return compact(redrive{q.DeadLetter.Queue.ARN(), json.Number(strconv.Itoa(int(q.DeadLetter.MaxReceives)))})
}

func setRedrivePolicy(s *queue.Spec, value string) error {
	if value == "" {
		s.DeadLetter = nil
		return nil
	}
	var r redrive
	if err := json.Unmarshal([]byte(value), &r); err != nil {
		return badAttribute("RedrivePolicy", "it is no JSON object: %v", err)
	}
	if r == (redrive{}) {
		s.DeadLetter = nil
		return nil
	}
	most, err := strconv.Atoi(string(r.Most))
	if err != nil || most < 1 || most > maxReceives {
		return badParameter("Value %s for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: %s, valid values are from 1 to %d both inclusive.", value, r.Most, maxReceives)
	}
	to, err := fromARN(r.Target)
	if err != nil {
		return badParameter("Value %s for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn.", value)
	}
	s.DeadLetter = &queue.DeadLetter{Queue: to, MaxReceives: int32(most)}
	return nil
}

// allow is the JSON of RedriveAllowPolicy.
type allow struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns,omitempty"`
}

const maxSources = 10

func allowPolicy(q *queue.Queue) string {
	if q.RedriveAllow == nil {
		return ""
	}
	a := allow{Permission: q.RedriveAllow.Permission}
	for _, ref := range q.RedriveAllow.Sources {
		a.Sources = append(a.Sources, ref.ARN())
	}
	return compact(a)
}

func setAllowPolicy(s *queue.Spec, value string) error {
	const name = "RedriveAllowPolicy"
	if value == "" {
		s.RedriveAllow = nil
		return nil
	}
	var a allow
	if err := json.Unmarshal([]byte(value), &a); err != nil {
		return badAttribute(name, "it is no JSON object: %v", err)
	}
	out := &queue.RedriveAllow{Permission: a.Permission}
	switch {
	case a.Permission != queue.AllowAll && a.Permission != queue.DenyAll && a.Permission != queue.ByQueue:
		return badAttribute(name, "redrivePermission is %q, one of allowAll, denyAll and byQueue is wanted", a.Permission)
	case (a.Permission == queue.ByQueue) != (len(a.Sources) > 0):
		return badAttribute(name, "sourceQueueArns goes with byQueue, and byQueue with it")
	case len(a.Sources) > maxSources:
		return badAttribute(name, "it names %d queues, at most %d are possible", len(a.Sources), maxSources)
	}
	for _, arn := range a.Sources {
		ref, err := fromARN(arn)
		if err != nil {
			return badAttribute(name, "sourceQueueArns: %v", err)
		}
		out.Sources = append(out.Sources, ref)
	}
	s.RedriveAllow = out
	return nil
}

// setPolicy stores an access policy as it is: it is told back, and means
// nothing until there are users.
func setPolicy(s *queue.Spec, value string) error {
	if value != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(value), &object); err != nil {
			return badAttribute("Policy", "it is no JSON object: %v", err)
		}
	}
	s.Policy = value
	return nil
}
