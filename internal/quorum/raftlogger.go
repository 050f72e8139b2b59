package quorum

import (
	"context"
	"fmt"
	"log/slog"
)

// raftLogger passes the Raft library's messages on: its steps are for
// debugging, what an operator should know the quorum says itself.
type raftLogger struct{ to *slog.Logger }

func (l raftLogger) say(level slog.Level, text func() string) {
	if l.to.Enabled(context.Background(), level) {
		l.to.LogAttrs(context.Background(), level, "raft", slog.String("text", text()))
	}
}

// Debug is part of raft.Logger.
func (l raftLogger) Debug(v ...any) {
	l.say(slog.LevelDebug, func() string { return fmt.Sprint(v...) })
}

// Debugf is part of raft.Logger.
func (l raftLogger) Debugf(f string, v ...any) {
	l.say(slog.LevelDebug, func() string { return fmt.Sprintf(f, v...) })
}

// Info is part of raft.Logger.
func (l raftLogger) Info(v ...any) { l.Debug(v...) }

// Infof is part of raft.Logger.
func (l raftLogger) Infof(f string, v ...any) {
	l.Debugf(f, v...)
}

// Warning is part of raft.Logger.
func (l raftLogger) Warning(v ...any) {
	l.say(slog.LevelWarn, func() string { return fmt.Sprint(v...) })
}

// Warningf is part of raft.Logger.
func (l raftLogger) Warningf(f string, v ...any) {
	l.say(slog.LevelWarn, func() string { return fmt.Sprintf(f, v...) })
}

// Error is part of raft.Logger.
func (l raftLogger) Error(v ...any) {
	l.say(slog.LevelError, func() string { return fmt.Sprint(v...) })
}

// Errorf is part of raft.Logger.
func (l raftLogger) Errorf(f string, v ...any) {
	l.say(slog.LevelError, func() string { return fmt.Sprintf(f, v...) })
}

// Fatal and Panic are the library's word for a broken invariant; both panic,
// so that whoever runs the node decides what ends.
func (l raftLogger) Fatal(v ...any) { panic(fmt.Sprint(v...)) }

// Fatalf is part of raft.Logger; an invariant of the library is broken.
func (l raftLogger) Fatalf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }

// Panic is part of raft.Logger; an invariant of the library is broken.
func (l raftLogger) Panic(v ...any) { panic(fmt.Sprint(v...)) }

// Panicf is part of raft.Logger; an invariant of the library is broken.
func (l raftLogger) Panicf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }
