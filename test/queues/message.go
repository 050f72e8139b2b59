package main

import (
	"fmt"
	"strconv"
	"strings"
)

// name is who a message is: the nth of its key, which is its sender's, or its
// message group's.
type name struct {
	key string
	n   int
}

// every so many messages one is poison: it is not acknowledged while faults are
// made, but where its dead letters are taken.
const poisonEvery = 23

// poison tells whether a message shall die.
func (n name) poison() bool { return n.n%poisonEvery == 11 }

// String is the body of the message.
func (n name) String() string { return n.key + "#" + strconv.Itoa(n.n) }

// nameOf reads a body.
func nameOf(body string) (name, error) {
	key, number, ok := strings.Cut(body, "#")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return name{}, fmt.Errorf("a message says %q", body)
	}
	return name{key, n}, nil
}
