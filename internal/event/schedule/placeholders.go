package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// run is one run of a schedule as its target sees it.
type run struct {
	Schedule
	SlotMs  int64
	Attempt int
}

// id is the run's identifier: the same for every attempt, in the form of a UUID
// as EventBridge Scheduler's execution ids have it.
func (r run) id() string {
	sum := sha256.Sum256([]byte(r.ID + "|" + strconv.FormatInt(r.SlotMs, 10)))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// scheduled is the run's time as EventBridge Scheduler writes it.
func (r run) scheduled() string { return time.UnixMilli(r.SlotMs).UTC().Format("2006-01-02T15:04:05Z") }

// input is what is delivered: the keywords replaced, wherever they stand.
func (r run) input() string {
	if !strings.Contains(r.Target.Input, "<aws.scheduler.") {
		return r.Target.Input
	}
	return strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", r.ARN(),
		"<aws.scheduler.scheduled-time>", r.scheduled(),
		"<aws.scheduler.execution-id>", r.id(),
		"<aws.scheduler.attempt-number>", strconv.Itoa(r.Attempt),
	).Replace(r.Target.Input)
}
