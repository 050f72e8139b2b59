package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// key is what the connection adds to each call.
const key = "the shop's key"

// where is where the addresses that are called listen.
func where() string {
	if at := os.Getenv("ORDERS_RECEIVER"); at != "" {
		return at
	}
	return "127.0.0.1:9400"
}

// call is one call that came to an address.
type call struct {
	Key  string         `json:"key"`
	Body map[string]any `json:"body"`
}

// receiver is /crm, which answers 200, and /down, which answers 500.
type receiver struct {
	mu  sync.Mutex
	got map[string][]call
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.Method == http.MethodGet {
		got := r.got[req.URL.Path]
		if got == nil {
			got = []call{}
		}
		json.NewEncoder(w).Encode(got)
		return
	}
	c := call{Key: req.Header.Get("X-Api-Key")}
	if err := json.NewDecoder(io.LimitReader(req.Body, 1<<20)).Decode(&c.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.got[req.URL.Path] = append(r.got[req.URL.Path], c)
	if req.URL.Path == "/down" {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// receive has a receiver run until the program ends, unless there is one.
func receive() {
	if l, err := net.Listen("tcp", where()); err == nil {
		go http.Serve(l, &receiver{got: map[string][]call{}})
	}
}

// calls gives the calls of a path, when done says that they are all.
func calls(path string, done func([]call) bool) (got []call) {
	for until := time.Now().Add(patience()); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + where() + path)
		if err == nil {
			got = nil
			err = json.NewDecoder(resp.Body).Decode(&got)
			resp.Body.Close()
		}
		if err == nil && done(got) || time.Now().After(until) {
			return got
		}
	}
}
