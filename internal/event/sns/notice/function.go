package notice

import (
	"bytes"
	"encoding/json"
)

// functionEvent is what a function gets, as Lambda does: one record.
type functionEvent struct {
	Records []functionRecord `json:"Records"`
}

type functionRecord struct {
	Source       string           `json:"EventSource"`
	Version      string           `json:"EventVersion"`
	Subscription string           `json:"EventSubscriptionArn"`
	SNS          functionNotified `json:"Sns"`
}

// functionNotified has names of its own for two of the addresses, and no member is
// left out.
type functionNotified struct {
	Type             string           `json:"Type"`
	MessageID        string           `json:"MessageId"`
	TopicARN         string           `json:"TopicArn"`
	Subject          *string          `json:"Subject"`
	Message          string           `json:"Message"`
	Timestamp        string           `json:"Timestamp"`
	SignatureVersion string           `json:"SignatureVersion"`
	Signature        string           `json:"Signature"`
	SigningCertURL   string           `json:"SigningCertUrl"`
	UnsubscribeURL   string           `json:"UnsubscribeUrl"`
	Attributes       map[string]Value `json:"MessageAttributes"`
}

// FunctionJSON is a notification as functions get it.
func (n *Notification) FunctionJSON(subscriptionARN string) []byte {
	of := functionNotified{
		Type: n.Type, MessageID: n.MessageID, TopicARN: n.TopicARN, Message: n.Message, Timestamp: n.Timestamp, SignatureVersion: n.SignatureVersion,
		Signature: n.Signature, SigningCertURL: n.SigningCertURL, UnsubscribeURL: n.UnsubscribeURL, Attributes: n.Attributes,
	}
	if n.Subject != "" {
		of.Subject = &n.Subject
	}
	if of.Attributes == nil {
		of.Attributes = map[string]Value{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(functionEvent{[]functionRecord{{"aws:sns", "1.0", subscriptionARN, of}}}) // it has no way to fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
