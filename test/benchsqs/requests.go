//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	// bodyBytes is how large a message is.
	bodyBytes = 256
	// mostEntries is how many messages a request has at most.
	mostEntries = 10
)

// body is a message's.
var body = string(bytes.Repeat([]byte("x"), bodyBytes))

// template is a call of SQS with the headers that SDKs send, but for its length and
// payload.
type template []byte

func newTemplate(addr, op string) template {
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nUser-Agent: aws-sdk-go-v2/1.48.0 ua/2.1 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/sqs#1.53.0\r\n"+
		"Amz-Sdk-Invocation-Id: 0d4b8ff7-6d5b-4f3e-8b0a-3c1f5a6d7e80\r\nAmz-Sdk-Request: attempt=1; max=3\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=any/20261126/us-east-1/sqs/aws4_request, SignedHeaders=amz-sdk-invocation-id;content-length;content-type;host;x-amz-date;x-amz-target, "+
		"Signature=6d0c9a4d5a3d8d0c7b0c44a1c36d61c2e7f14e1f0a3b7f5e1e2d3c4b5a697887\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20261126T120000Z\r\n"+
		"X-Amz-Target: AmazonSQS.%s\r\nContent-Length: ", addr, op)
}

// with is the request with a payload.
func (t template) with(payload []byte) []byte {
	out := make([]byte, 0, len(t)+len(payload)+16)
	out = strconv.AppendInt(append(out, t...), int64(len(payload)), 10)
	return append(append(out, "\r\n\r\n"...), payload...)
}

// request writes a call of SQS.
func request(addr, op string, payload []byte) []byte { return newTemplate(addr, op).with(payload) }

// encode writes a call's payload; what is given can be written.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// plain are the requests of a worker on a queue without groups: prepared, but
// for receipts.
type plain struct {
	addr, url     string
	send, receive []byte
	deletes       template
	entries       int
}

func newPlain(addr, url string, entries int) *plain {
	p := &plain{addr: addr, url: url, entries: entries}
	if entries == 1 {
		p.deletes = newTemplate(addr, "DeleteMessage")
		p.send = request(addr, "SendMessage", encode(map[string]any{"QueueUrl": url, "MessageBody": body}))
	} else {
		var all []map[string]string
		for i := range entries {
			all = append(all, map[string]string{"Id": strconv.Itoa(i), "MessageBody": body})
		}
		p.deletes = newTemplate(addr, "DeleteMessageBatch")
		p.send = request(addr, "SendMessageBatch", encode(map[string]any{"QueueUrl": url, "Entries": all}))
	}
	p.receive = request(addr, "ReceiveMessage", encode(map[string]any{"QueueUrl": url, "MaxNumberOfMessages": entries, "WaitTimeSeconds": 1}))
	return p
}

// remove writes the request that deletes messages, one or a batch.
func (p *plain) remove(receipts [][]byte) []byte {
	payload := append(append(make([]byte, 0, 2048), `{"QueueUrl":"`...), p.url...)
	if p.entries == 1 {
		payload = append(append(payload, `","ReceiptHandle":"`...), receipts[0]...)
		return p.deletes.with(append(payload, `"}`...))
	}
	payload = append(payload, `","Entries":[`...)
	for i, r := range receipts {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = strconv.AppendInt(append(payload, `{"Id":"`...), int64(i), 10)
		payload = append(append(append(payload, `","ReceiptHandle":"`...), r...), `"}`...)
	}
	return p.deletes.with(append(payload, "]}"...))
}

// receipts finds the receipts in the answer to a receive.
func receipts(answer []byte, into [][]byte) [][]byte {
	into = into[:0]
	for {
		_, rest, ok := bytes.Cut(answer, []byte(`"ReceiptHandle"`))
		if !ok {
			return into
		}
		begin := bytes.IndexByte(rest, '"') + 1
		length := bytes.IndexByte(rest[max(begin, 0):], '"')
		if begin <= 0 || length < 0 {
			return into
		}
		into = append(into, rest[begin:begin+length])
		answer = rest[begin+length:]
	}
}

// refusedEntries tells of entries of a batch that were refused.
func refusedEntries(answer []byte) error {
	var a struct{ Failed []json.RawMessage }
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("read the answer to a batch: %w", err)
	}
	if len(a.Failed) > 0 {
		return fmt.Errorf("%d entries of a batch were refused, the first: %s", len(a.Failed), a.Failed[0])
	}
	return nil
}
