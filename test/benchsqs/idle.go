//go:build linux

package main

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// idle is the server that does nothing, in a process of its own.
func (b *bench) idle(ctx context.Context) (*side, error) {
	return b.get(ctx, "nothing", func(ctx context.Context, name string) (*side, error) {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		return b.startProcess(ctx, name, addr, exe, "-idle", addr)
	})
}

// serveIdle answers every call of SQS at once with what was written beforehand,
// as an ordinary HTTP server of Go, until ctx ends.
func serveIdle(ctx context.Context, addr string) error {
	server := &http.Server{Addr: addr, Handler: idleHandler(addr)}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func idleHandler(addr string) http.Handler {
	sum := md5.Sum([]byte(body))
	md5OfBody := hex.EncodeToString(sum[:])
	const id = "0d4b8ff7-6d5b-4f3e-8b0a-3c1f5a6d7e80"
	receipt := strings.Repeat("r", 58)
	var sent, messages, done []map[string]string
	for i := range mostEntries {
		sent = append(sent, map[string]string{"Id": strconv.Itoa(i), "MessageId": id, "MD5OfMessageBody": md5OfBody})
		messages = append(messages, map[string]string{"MessageId": id, "ReceiptHandle": receipt, "MD5OfBody": md5OfBody, "Body": body})
		done = append(done, map[string]string{"Id": strconv.Itoa(i)})
	}
	one, ten := encode(map[string]any{"Messages": messages[:1]}), encode(map[string]any{"Messages": messages})
	answers := map[string][]byte{
		"CreateQueue":        encode(map[string]any{"QueueUrl": "http://" + addr + "/123456789012/q"}),
		"SendMessage":        encode(map[string]any{"MessageId": id, "MD5OfMessageBody": md5OfBody}),
		"SendMessageBatch":   encode(map[string]any{"Successful": sent}),
		"DeleteMessageBatch": encode(map[string]any{"Successful": done}),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		out, ok := answers[op]
		switch {
		case op == "ReceiveMessage" && strings.Contains(string(in), `"MaxNumberOfMessages":1,`):
			out = one
		case op == "ReceiveMessage":
			out = ten
		case !ok:
			out = []byte("{}")
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("X-Amzn-Requestid", id)
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		_, _ = w.Write(out) // a client that has gone needs no answer
	})
}
