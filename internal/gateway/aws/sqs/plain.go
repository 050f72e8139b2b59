package sqs

import (
	"strconv"

	"ottla/internal/gateway/aws/protocol"
)

// The calls that are made for every message read and write their JSON themselves;
// it is what their tags say, and plain_test.go holds the two together.

func scanText(s *protocol.Scanner) *string {
	text := s.Text()
	return &text
}

func scanNumber(s *protocol.Scanner) *int64 {
	n := s.Number()
	return &n
}

// scanList reads a list into one that is not there yet.
func scanList[T any](s *protocol.Scanner, into *[]T, item func(*T)) {
	if *into != nil {
		s.GiveUp()
		return
	}
	*into = make([]T, 0, maxEntries)
	for s.List(); s.Item(); {
		*into = append(*into, *new(T))
		item(&(*into)[len(*into)-1])
	}
}

func scanTexts(s *protocol.Scanner, into *[]string) {
	scanList(s, into, func(one *string) { *one = s.Text() })
}

// scanAttributes reads attributes whose values are texts.
func scanAttributes(s *protocol.Scanner, into *map[string]Attribute) {
	if *into != nil {
		s.GiveUp()
		return
	}
	*into = map[string]Attribute{}
	for name := range s.Fields() {
		var a Attribute
		for field := range s.Fields() {
			switch string(field) {
			case "DataType":
				a.DataType = s.Text()
			case "StringValue":
				a.StringValue = scanText(s)
			default:
				s.GiveUp()
			}
		}
		(*into)[string(name)] = a
	}
}

// scan reads one field of a message to be sent.
func (e *entry) scan(s *protocol.Scanner, field []byte) {
	switch string(field) {
	case "MessageBody":
		e.Body = scanText(s)
	case "DelaySeconds":
		e.DelaySeconds = scanNumber(s)
	case "MessageAttributes":
		scanAttributes(s, &e.Attributes)
	case "MessageSystemAttributes":
		scanAttributes(s, &e.SystemAttributes)
	case "MessageDeduplicationId":
		e.Dedup = s.Text()
	case "MessageGroupId":
		e.Group = s.Text()
	default:
		s.GiveUp()
	}
}

// ScanJSON implements protocol.Scanned.
func (in *sendIn) ScanJSON(s *protocol.Scanner) {
	var e entry
	for field := range s.Fields() {
		if string(field) == "QueueUrl" {
			in.QueueURL = s.Text()
			continue
		}
		e.scan(s, field)
	}
	in.Body, in.DelaySeconds, in.Attributes, in.SystemAttributes, in.Dedup, in.Group = e.Body, e.DelaySeconds, e.Attributes, e.SystemAttributes, e.Dedup, e.Group
}

// ScanJSON implements protocol.Scanned.
func (in *sendBatchIn) ScanJSON(s *protocol.Scanner) {
	scanBatch(s, &in.QueueURL, &in.Entries, func(e *entry, field []byte) {
		if string(field) == "Id" {
			e.ID = s.Text()
			return
		}
		e.scan(s, field)
	})
}

// ScanJSON implements protocol.Scanned.
func (in *deleteBatchIn) ScanJSON(s *protocol.Scanner) {
	scanBatch(s, &in.QueueURL, &in.Entries, func(e *deleteEntry, field []byte) {
		switch string(field) {
		case "Id":
			e.ID = s.Text()
		case "ReceiptHandle":
			e.Receipt = s.Text()
		default:
			s.GiveUp()
		}
	})
}

// scanBatch reads a call of many entries, whose fields field reads.
func scanBatch[E any](s *protocol.Scanner, address *string, entries *[]E, field func(e *E, name []byte)) {
	for name := range s.Fields() {
		switch string(name) {
		case "QueueUrl":
			*address = s.Text()
		case "Entries":
			scanList(s, entries, func(e *E) {
				for name := range s.Fields() {
					field(e, name)
				}
			})
		default:
			s.GiveUp()
		}
	}
}

// ScanJSON implements protocol.Scanned.
func (in *deleteIn) ScanJSON(s *protocol.Scanner) {
	for field := range s.Fields() {
		switch string(field) {
		case "QueueUrl":
			in.QueueURL = s.Text()
		case "ReceiptHandle":
			in.Receipt = s.Text()
		default:
			s.GiveUp()
		}
	}
}

// ScanJSON implements protocol.Scanned.
func (in *receiveIn) ScanJSON(s *protocol.Scanner) {
	for field := range s.Fields() {
		switch string(field) {
		case "QueueUrl":
			in.QueueURL = s.Text()
		case "AttributeNames":
			scanTexts(s, &in.AttributeNames)
		case "MessageSystemAttributeNames":
			scanTexts(s, &in.SystemAttributeNames)
		case "MessageAttributeNames":
			scanTexts(s, &in.UserAttributeNames)
		case "MaxNumberOfMessages":
			in.MaxNumberOfMessages = scanNumber(s)
		case "VisibilityTimeout":
			in.VisibilityTimeout = scanNumber(s)
		case "WaitTimeSeconds":
			in.WaitTimeSeconds = scanNumber(s)
		case "ReceiveRequestAttemptId":
			in.AttemptID = s.Text()
		default:
			s.GiveUp()
		}
	}
}

// appendSome appends a name and a text that is not empty.
func appendSome(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return protocol.AppendTextField(b, name, text)
}

// AppendJSON implements protocol.Appended.
func (s *sent) AppendJSON(b []byte) []byte {
	b = appendSome(append(b, '{'), "Id", s.ID)
	b = protocol.AppendTextField(b, "MessageId", s.MessageID)
	b = protocol.AppendTextField(b, "MD5OfMessageBody", s.BodySum)
	b = appendSome(b, "MD5OfMessageAttributes", s.AttributesSum)
	b = appendSome(b, "MD5OfMessageSystemAttributes", s.SystemAttributes)
	return append(appendSome(b, "SequenceNumber", s.SequenceNumber), '}')
}

// AppendJSON implements protocol.Appended.
func (o *sendBatchOut) AppendJSON(b []byte) []byte {
	return appendBatch(b, o.Successful, o.Failed, func(b []byte, s *sent) []byte { return s.AppendJSON(b) })
}

// AppendJSON implements protocol.Appended.
func (o *deleteBatchOut) AppendJSON(b []byte) []byte {
	return appendBatch(b, o.Successful, o.Failed, func(b []byte, s *succeeded) []byte {
		return append(protocol.AppendTextField(append(b, '{'), "Id", s.ID), '}')
	})
}

func appendBatch[T any](b []byte, good []T, bad []Failed, item func([]byte, *T) []byte) []byte {
	b = append(b, '{')
	if len(good) > 0 {
		b = protocol.AppendList(protocol.AppendField(b, "Successful"), good, item)
	}
	if len(bad) > 0 {
		b = protocol.AppendList(protocol.AppendField(b, "Failed"), bad, appendFailed)
	}
	return append(b, '}')
}

func appendFailed(b []byte, f *Failed) []byte {
	b = protocol.AppendTextField(append(b, '{'), "Id", f.ID)
	b = strconv.AppendBool(protocol.AppendField(b, "SenderFault"), f.SenderFault)
	b = protocol.AppendTextField(b, "Code", f.Code)
	return append(appendSome(b, "Message", f.Message), '}')
}

// AppendJSON implements protocol.Appended.
func (o *receiveOut) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if len(o.Messages) > 0 {
		b = protocol.AppendList(protocol.AppendField(b, "Messages"), o.Messages, appendReceived)
	}
	return append(b, '}')
}

func appendReceived(b []byte, m *received) []byte {
	b = protocol.AppendTextField(append(b, '{'), "MessageId", m.MessageID)
	b = protocol.AppendTextField(b, "ReceiptHandle", m.Receipt)
	b = protocol.AppendTextField(b, "MD5OfBody", m.BodySum)
	b = protocol.AppendTextField(b, "Body", m.Body)
	if len(m.System) > 0 {
		b = append(protocol.AppendField(b, "Attributes"), '{')
		for _, name := range sorted(m.System) {
			b = protocol.AppendText(protocol.AppendKey(b, name), m.System[name])
		}
		b = append(b, '}')
	}
	b = appendSome(b, "MD5OfMessageAttributes", m.AttributesSum)
	if len(m.Attributes) > 0 {
		b = append(protocol.AppendField(b, "MessageAttributes"), '{')
		for _, name := range sorted(m.Attributes) {
			a := m.Attributes[name]
			b = appendAttribute(protocol.AppendKey(b, name), &a)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendAttribute appends one that is answered, which has no lists.
func appendAttribute(b []byte, a *Attribute) []byte {
	b = protocol.AppendTextField(append(b, '{'), "DataType", a.DataType)
	if a.StringValue != nil {
		b = protocol.AppendTextField(b, "StringValue", *a.StringValue)
	}
	if len(a.BinaryValue) > 0 {
		b = protocol.AppendBytes(protocol.AppendField(b, "BinaryValue"), a.BinaryValue)
	}
	return append(b, '}')
}
