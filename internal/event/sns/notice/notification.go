package notice

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ottla/internal/event/plan"
)

// Kinds of notifications.
const (
	Notify  = "Notification"
	Confirm = "SubscriptionConfirmation"
)

// encodingAttribute says of a message whose body is no text that it comes in base64.
const encodingAttribute = "ottla.encoding"

// Value is an attribute in a notification.
type Value struct {
	Type  string `json:"Type"`
	Value string `json:"Value"`
}

// Notification is what subscribers get as JSON.
type Notification struct {
	Type             string           `json:"Type"`
	MessageID        string           `json:"MessageId"`
	SequenceNumber   string           `json:"SequenceNumber,omitempty"`
	Token            string           `json:"Token,omitempty"`
	TopicARN         string           `json:"TopicArn"`
	Subject          string           `json:"Subject,omitempty"`
	Message          string           `json:"Message"`
	SubscribeURL     string           `json:"SubscribeURL,omitempty"`
	Timestamp        string           `json:"Timestamp"`
	SignatureVersion string           `json:"SignatureVersion"`
	Signature        string           `json:"Signature"`
	SigningCertURL   string           `json:"SigningCertURL"`
	UnsubscribeURL   string           `json:"UnsubscribeURL,omitempty"`
	Attributes       map[string]Value `json:"MessageAttributes,omitempty"`
}

// NotificationOf makes the notification of a message for a protocol, unsigned.
func (m *Message) NotificationOf(topicARN, protocol string, timeMs int64) Notification {
	n := Notification{Type: Notify, MessageID: m.ID, TopicARN: topicARN, Subject: m.Subject, Timestamp: Timestamp(timeMs), Attributes: values(m.Attributes)}
	body := m.For(protocol)
	if utf8.Valid(body) {
		n.Message = string(body)
		return n
	}
	n.Message = base64.StdEncoding.EncodeToString(body)
	if n.Attributes == nil {
		n.Attributes = map[string]Value{}
	}
	n.Attributes[encodingAttribute] = Value{"String", "base64"}
	return n
}

func values(all []plan.Attribute) map[string]Value {
	if len(all) == 0 {
		return nil
	}
	out := map[string]Value{}
	for i := range all {
		a := &all[i]
		v := Value{a.Type, string(a.Value)}
		if isBinary(a.Type) {
			v.Value = base64.StdEncoding.EncodeToString(a.Value)
		}
		out[a.Name] = v
	}
	return out
}

// Timestamp writes a time as notifications do.
func Timestamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// Signed is the text that is signed of a notification: names and values in the order
// of the names, those that are there.
func (n *Notification) Signed() []byte {
	pairs := [][2]string{{"Message", n.Message}, {"MessageId", n.MessageID}}
	if n.Type == Notify {
		if n.Subject != "" {
			pairs = append(pairs, [2]string{"Subject", n.Subject})
		}
	} else {
		pairs = append(pairs, [2]string{"SubscribeURL", n.SubscribeURL})
	}
	pairs = append(pairs, [2]string{"Timestamp", n.Timestamp})
	if n.Type != Notify {
		pairs = append(pairs, [2]string{"Token", n.Token})
	}
	pairs = append(pairs, [2]string{"TopicArn", n.TopicARN}, [2]string{"Type", n.Type})
	var b bytes.Buffer
	for _, p := range pairs {
		b.WriteString(p[0])
		b.WriteByte('\n')
		b.WriteString(p[1])
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// JSON is the notification as it is sent.
func (n *Notification) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(n) // texts and a map of texts have no way to fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// ParseNotification is the inverse of JSON.
func ParseNotification(b []byte) (*Notification, error) {
	n := new(Notification)
	if err := json.Unmarshal(b, n); err != nil {
		return nil, fmt.Errorf("read a notification: %w", err)
	}
	return n, nil
}

// CallHeaders are those of a call that brings a notification.
func CallHeaders(kind, messageID, topicARN, subscriptionARN string, raw bool) []plan.Header {
	out := []plan.Header{
		{Name: "x-amz-sns-message-type", Value: kind}, {Name: "x-amz-sns-message-id", Value: messageID}, {Name: "x-amz-sns-topic-arn", Value: topicARN},
	}
	if subscriptionARN != "" {
		out = append(out, plan.Header{Name: "x-amz-sns-subscription-arn", Value: subscriptionARN})
	}
	if raw {
		out = append(out, plan.Header{Name: "x-amz-sns-rawdelivery", Value: "true"})
	}
	return out
}

// CheckAttribute tells what is wrong with an attribute of a message.
func CheckAttribute(a *plan.Attribute) error {
	lower := strings.ToLower(a.Name)
	base, _, _ := strings.Cut(a.Type, ".")
	switch {
	case Taken(a.Name):
		return fmt.Errorf("the attribute %q: names that are empty or begin with %q or %q are taken", a.Name, "ottla.", deadPrefix)
	case len(a.Name) > 256 || strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "":
		return fmt.Errorf("the attribute %q: names have letters, digits, _, - and ., 256 at most", a.Name)
	case a.Name[0] == '.' || a.Name[len(a.Name)-1] == '.' || strings.Contains(a.Name, ".."):
		return fmt.Errorf("the attribute %q: a name neither begins nor ends with a dot, nor has two in succession", a.Name)
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return fmt.Errorf("the attribute %q: AWS. and Amazon. begin no names", a.Name)
	case len(a.Type) > 256 || !slices.Contains([]string{"String", "Number", "Binary"}, base):
		return fmt.Errorf("the attribute %q has the type %q; types are String, Number and Binary, perhaps with a dot and a label behind them", a.Name, a.Type)
	case len(a.Value) == 0:
		return fmt.Errorf("the attribute %q has no value", a.Name)
	case base != "Binary" && !utf8.Valid(a.Value):
		return fmt.Errorf("the attribute %q is of the type %s and no UTF-8", a.Name, a.Type)
	case base == "Number" && number(string(a.Value)) == nil:
		return fmt.Errorf("the attribute %q is of the type Number and no number: %q", a.Name, a.Value)
	case a.Type == "String.Array" && !isList(a.Value):
		return fmt.Errorf("the attribute %q is of the type String.Array and no JSON list of texts, numbers, true, false and null", a.Name)
	}
	return nil
}
