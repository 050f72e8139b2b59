package log

// Sync makes everything appended so far durable before it returns, in the
// caller's goroutine and beside any sync round: for a writer who answers for
// one log and does not queue behind others (the metadata quorum). A failure
// is final for the directory, as in a round. Writers of this log are held off
// by the caller; OnDurable is called as in a round.
func (l *Log) Sync() error {
	if err := l.alive(); err != nil {
		return err
	}
	return l.sync()
}
