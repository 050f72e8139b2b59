package server

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// BusyError says that a port is taken, and by whom where that can be known.
type BusyError struct {
	What  string // "Kafka" or "HTTP"
	Addr  string
	Owner string // "" when not known
	Cause error
}

// Error tells the address and who has it.
func (e *BusyError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("the %s port %s is in use by another process", e.What, e.Addr)
	}
	return fmt.Sprintf("the %s port %s is in use by %s", e.What, e.Addr, e.Owner)
}

// Unwrap is the error of the system.
func (e *BusyError) Unwrap() error { return e.Cause }

func bind(what, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &BusyError{What: what, Addr: addr, Owner: portOwner(addr), Cause: err}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for %s on %s: %w", what, addr, err)
	}
	return l, nil
}

// optionalPorts is how many ports after a busy optional one are tried.
const optionalPorts = 20

// bindOptional binds addr or, when that is busy, the next free port.
func bindOptional(what, addr string) (net.Listener, error) {
	l, err := bind(what, addr)
	var busy *BusyError
	if !errors.As(err, &busy) {
		return l, err
	}
	host, port, splitErr := net.SplitHostPort(addr)
	n, numErr := strconv.Atoi(port)
	if splitErr != nil || numErr != nil {
		return nil, err
	}
	for next := n + 1; next <= n+optionalPorts; next++ {
		if l, err := bind(what, net.JoinHostPort(host, strconv.Itoa(next))); err == nil {
			return l, nil
		}
	}
	return nil, err
}
