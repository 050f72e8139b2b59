package txns

import (
	"fmt"
	"strings"
	"time"
)

// Note is one thing worth knowing of a transaction, and what to do about it (""
// when nothing is).
type Note struct{ Text, Fix string }

// Verdict tells a transaction's story: whose it is and how long it is open,
// which partitions it holds back, what will end it and when. sweep is how often
// the coordinator looks for time-outs, and now the time.
func Verdict(t *Transaction, now time.Time, sweep time.Duration) []Note {
	switch t.State {
	case ongoing:
		out := []Note{{Text: fmt.Sprintf("producer %d, epoch %d, has had it open for %v, in %s", t.Producer, t.Epoch, length(now.Sub(t.Since)), count(len(t.Partitions), "partition"))}}
		out = append(out, held(t)...)
		return append(out, ends(t, now, sweep)...)
	case prepareCommit, prepareAbort, prepareFence:
		return deciding(t)
	case "Empty":
		return []Note{{Text: fmt.Sprintf("producer %d, epoch %d, has its id and no transaction open", t.Producer, t.Epoch)}}
	case "CompleteCommit":
		return []Note{{Text: fmt.Sprintf("the last transaction was committed; none is open, and producer %d may begin the next", t.Producer)}}
	case "CompleteAbort":
		return []Note{{Text: fmt.Sprintf("the last transaction was aborted; none is open, and producer %d may begin the next", t.Producer)}}
	}
	return []Note{{Text: "it is being forgotten: no transaction was begun for transactional.id.expiration.ms"}}
}

// ends says what will end an open transaction.
func ends(t *Transaction, now time.Time, sweep time.Duration) []Note {
	due := t.Since.Add(t.Timeout)
	left := due.Sub(now)
	switch {
	case left > 0:
		return []Note{{fmt.Sprintf("unless its producer ends it, it is aborted when its time-out of %v is over, in %v", t.Timeout, length(left)),
			abortHint(t)}}
	case -left < 2*sweep:
		return []Note{{Text: fmt.Sprintf("its time-out of %v is over; the coordinator, which looks every %v, is about to abort it", t.Timeout, sweep)}}
	}
	return []Note{{fmt.Sprintf("its time-out of %v was over %v ago and it is still open: its coordinator (node %d) does not end it", t.Timeout, length(-left), t.Coordinator),
		"is node " + fmt.Sprint(t.Coordinator) + " healthy? see its log; then " + abortHint(t)}}
}

func abortHint(t *Transaction) string {
	return "\"ottla txn abort " + t.ID + "\" ends it now and fences its producer"
}

// held says where readers wait.
func held(t *Transaction) []Note {
	var where []string
	var all int64
	silent := 0
	for _, p := range t.Partitions {
		if n := p.HeldBack(); n > 0 {
			all += n
			where = append(where, fmt.Sprintf("%s from offset %d on (%d)", p, p.Stable, n))
		}
		if p.First < 0 {
			silent++
		}
	}
	switch {
	case all > 0:
		return []Note{{Text: fmt.Sprintf("readers at read_committed wait for it: they do not see %s", strings.Join(where, ", "))}}
	case silent == len(t.Partitions):
		return []Note{{Text: "it has written nothing yet, so it holds nobody back"}}
	}
	return []Note{{Text: "it holds nobody back: older transactions are open in its partitions, or nothing follows"}}
}

// deciding is of a transaction whose end is decided and not written everywhere.
func deciding(t *Transaction) []Note {
	what := "committed"
	switch t.State {
	case prepareAbort:
		what = "aborted"
	case prepareFence:
		what = "aborted, since a new producer took its id"
	}
	text := fmt.Sprintf("it will be %s, whatever happens: that is written, and markers are on their way", what)
	if len(t.Partitions) > 0 {
		var names []string
		for _, p := range t.Partitions {
			names = append(names, p.String())
		}
		text += " to " + strings.Join(names, ", ")
	}
	return []Note{{text, "normal for milliseconds; when it lasts, a partition there has no leader: \"ottla topic describe NAME\" shows it"}}
}

// length is a duration for people.
func length(d time.Duration) time.Duration {
	switch {
	case d < 0:
		return 0
	case d < time.Second:
		return d.Round(time.Millisecond)
	case d < time.Minute:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
