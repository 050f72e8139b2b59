//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequestsAreHTTPWithTheirLength(t *testing.T) {
	var got *http.Request
	var sent map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		sent = map[string]any{}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		w.Write([]byte(`{"Messages":[{"ReceiptHandle":"a#1","Body":"x"},{"Body":"y","ReceiptHandle" : "b"}]}`))
	}))
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	c, err := dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	p := newPlain(addr, "http://"+addr+"/1/q", 10)
	answer, err := c.call(p.receive)
	if err != nil || got.Header.Get("X-Amz-Target") != "AmazonSQS.ReceiveMessage" || sent["MaxNumberOfMessages"] != 10.0 {
		t.Fatalf("receive: %v, %v, %v", err, got.Header, sent)
	}
	handles := receipts(answer, nil)
	if len(handles) != 2 || string(handles[0]) != "a#1" || string(handles[1]) != "b" {
		t.Fatalf("receipts are %q", handles)
	}
	if _, err := c.call(p.remove(handles)); err != nil {
		t.Fatal(err)
	}
	if entries := sent["Entries"].([]any); got.Header.Get("X-Amz-Target") != "AmazonSQS.DeleteMessageBatch" || len(entries) != 2 || entries[1].(map[string]any)["ReceiptHandle"] != "b" {
		t.Errorf("delete: %v", sent)
	}
	one := newPlain(addr, "u", 1)
	if _, err := c.call(one.remove(handles[:1])); err != nil || sent["ReceiptHandle"] != "a#1" || sent["QueueUrl"] != "u" {
		t.Errorf("delete one: %v, %v", err, sent)
	}
}

func TestWhatIsNoAnswerIsAnError(t *testing.T) {
	for _, text := range []string{
		"", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}",
	} {
		c := &caller{}
		c.in = newReader(strings.NewReader(text))
		if got, err := c.answer(); err == nil {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestReceiptsThatAreCutOffAreNone(t *testing.T) {
	for _, text := range []string{`{}`, `{"ReceiptHandle"`, `{"ReceiptHandle":`, `{"ReceiptHandle":"abc`} {
		if got := receipts([]byte(text), nil); len(got) != 0 {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

func TestRefusedEntriesAreTold(t *testing.T) {
	if err := refusedEntries([]byte(`{"Successful":[{"Id":"a"}]}`)); err != nil {
		t.Error(err)
	}
	if err := refusedEntries([]byte(`{"Failed":[{"Id":"a","Code":"X"}]}`)); err == nil || !strings.Contains(err.Error(), `"Code":"X"`) {
		t.Errorf("got %v", err)
	}
}

// The server that does nothing answers what both loads want.
func TestTheServerThatDoesNothingIsTakenForOne(t *testing.T) {
	s := httptest.NewServer(idleHandler("x"))
	defer s.Close()
	one := &side{name: "nothing", addr: strings.TrimPrefix(s.URL, "http://")}
	url, err := one.create(t.Context(), "q", nil)
	if err != nil || url == "" {
		t.Fatalf("create: %q, %v", url, err)
	}
	c, err := dial(context.Background(), one.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, entries := range []int{1, mostEntries} {
		if n, err := newPlain(one.addr, url, entries).next(c); err != nil || n != entries {
			t.Errorf("a cycle of %d: %d, %v", entries, n, err)
		}
	}
}

func TestMeasuresAreChosenByName(t *testing.T) {
	if got, err := choose("groups,single"); err != nil || len(got) != 2 || got[0].name != "groups" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := choose("nothing"); err == nil {
		t.Error("a name that none has was taken")
	}
}

func TestTheBodyIsOfItsSize(t *testing.T) {
	if len(body) != bodyBytes || bytes.ContainsAny([]byte(body), `"\`) {
		t.Errorf("%d bytes: %q", len(body), body)
	}
}
